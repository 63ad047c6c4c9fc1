"""Response bodies, each as a typed dictionary and the function that makes it."""
