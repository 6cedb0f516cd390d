"""API models of sign-in."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["participant", "facilities", "operator", "rec_validator", "auditor", "device"]
Affiliation = Literal["student", "resident", "faculty", "staff"]


class Login(BaseModel):
    """E-mail address and password."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=3, max_length=254, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["anna@campus.example"])
    password: str = Field(min_length=1, max_length=1024, json_schema_extra={"format": "password"})


class User(BaseModel):
    """Who is signed in."""

    user_id: UUID
    email: str
    display_name: str
    role: Role
    affiliation: Affiliation | None
    participant_id: UUID | None = Field(description="Whose meters, trades and bills this user sees; null for staff")


class Session(BaseModel):
    """A short access token; the refresh token travels in a cookie that scripts can not read."""

    access_token: str = Field(description="Send as `Authorization: Bearer ...`; keep it in memory only")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a scheme, not a secret
    expires_in_s: int = Field(examples=[900])
    user: User
