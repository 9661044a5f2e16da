"""Personal data of households: sealed at rest, masked on pages, disclosed for a recorded reason."""
