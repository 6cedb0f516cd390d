// The floor of the sign-in page: what React itself takes.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

createRoot(document.body).render(<StrictMode>Peerwatt</StrictMode>);
