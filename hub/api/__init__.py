"""The HTTP applications, made of all packages' endpoints; their OpenAPI description; `peerwatt-hub serve`."""
