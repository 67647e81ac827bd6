# expect: DL3006
FROM docker.io/library/alpine
CMD ["true"]
