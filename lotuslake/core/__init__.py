"""Pure rules of the lake: no input or output, standard library only."""
