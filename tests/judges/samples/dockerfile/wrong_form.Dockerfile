# expect: JSONArgsRecommended
FROM docker.io/library/alpine:3.22
CMD cat /a
