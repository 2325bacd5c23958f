"""What is the page's own and has to agree with the server, tried with the server."""
