"""How PerSplit is reached: REST and Socket.IO over one table of operations, one parser, one error table."""
