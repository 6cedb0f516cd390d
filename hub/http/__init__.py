"""What all endpoints share: value types and cursors, the request's context, headers, the web app's files."""
