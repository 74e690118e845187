"""Where people and programs meet the operations. Surfaces say; they do not decide."""
