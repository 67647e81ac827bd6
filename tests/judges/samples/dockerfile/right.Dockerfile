FROM docker.io/library/alpine:3.22 AS build
RUN echo a > /a
FROM docker.io/library/alpine:3.22 AS runtime
COPY --from=build /a /a
CMD ["cat", "/a"]
