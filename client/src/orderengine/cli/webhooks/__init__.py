"""Events of the stream as signed webhooks: in order, none lost, with a cursor that outlives the process."""
