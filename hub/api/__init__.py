"""The HTTP side put together: every room's endpoints as one application, its OpenAPI description, and `serve`."""
