"""In and out: other products' files to the ledger's commands, and a group's ledger to files. Pure."""
