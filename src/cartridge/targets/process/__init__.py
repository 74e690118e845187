"""Components as plain local processes under one guardian per stack."""
