"""From the words of a receipt, as a machine has read them, to what was bought, when, where and for how much. Pure."""
