"""`persplit client`: the command line of a person who shares expenses. It sees the client library and the ledger."""
