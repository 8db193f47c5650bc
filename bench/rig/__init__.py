"""What every measurement needs: an installation filled for it, load, CPU time."""
