# expect: DL3018
FROM docker.io/library/alpine:3.22
RUN apk add --no-cache curl
CMD ["curl", "--version"]
