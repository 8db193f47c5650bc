"""What the product is measured beside. Each gives the same answer, which is asserted before it is timed."""
