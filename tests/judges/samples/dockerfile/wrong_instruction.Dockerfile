# expect: unknown instruction: RUNN
FROM docker.io/library/alpine:3.22
RUNN echo a
