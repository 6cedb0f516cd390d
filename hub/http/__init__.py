"""What every endpoint shares: moments and cursors, the request's context, headers, the web app's files."""
