"""`make bench`: what the product costs beside a floor and beside rivals, measured in one run."""
