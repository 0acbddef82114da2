"""emotone over HTTP and WebSocket: `emotone serve`. Needs the extra `serve`."""
