# Two targets: `server`, on the CPU, and `worker`, with the TensorFlow that the build argument TENSORFLOW names:
# cuda (includes CUDA 12 and cuDNN 9; the host needs only a driver), cpu, or stock (tfjs-node-gpu's own libtensorflow
# 2.9.1 on CUDA 11.8 and cuDNN 8). The build fails if it can't get that TensorFlow.

ARG NODE_IMAGE=node:20-bookworm-slim
ARG STOCK_IMAGE=nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04
ARG TENSORFLOW=cuda

FROM ${NODE_IMAGE} AS node

# The packages of the lock file, and the tools that compile the binding.
FROM node AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund && npm cache clean --force
ENV TRAINYARD_CACHE=/opt/trainyard ENGINE=tensorflow
COPY scripts scripts

# One stage for each engine: set-up downloads TensorFlow (or takes it from docker/wheels), compiles the binding and
# computes with it once. What it linked into the package is copied, since the image has no cache directory.
FROM build AS engine-cpu
COPY docker/wheels docker/wheels
RUN TENSORFLOW=cpu node scripts/setup.mjs --only=tensorflow \
 && mkdir /engine && cp -RH node_modules/@tensorflow/tfjs-node-gpu/lib node_modules/@tensorflow/tfjs-node-gpu/deps /engine

FROM build AS engine-cuda
COPY docker/wheels docker/wheels
RUN TENSORFLOW=cuda node scripts/setup.mjs --only=tensorflow \
 && mkdir /engine && cp -RH node_modules/@tensorflow/tfjs-node-gpu/lib node_modules/@tensorflow/tfjs-node-gpu/deps /engine

# The stock engine is built on the image that it runs on, whose C library is older than Debian's.
FROM ${STOCK_IMAGE} AS stock
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node

FROM stock AS engine-stock
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV TRAINYARD_CACHE=/opt/trainyard ENGINE=tensorflow
COPY --from=build /app /app
RUN TENSORFLOW=stock node scripts/setup.mjs --only=tensorflow \
 && mkdir /engine && cp -RH node_modules/@tensorflow/tfjs-node-gpu/lib node_modules/@tensorflow/tfjs-node-gpu/deps /engine

# The compiled program and its production packages.
FROM build AS program
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY web web
RUN node scripts/setup.mjs --only=build \
 && npm prune --omit=dev --no-audit --no-fund \
 && find node_modules -name '*.map' -delete \
 && rm -f dist/.build

# The base of both targets. Nothing writes to the root file system; /data is a volume.
FROM node AS runtime-cpu
FROM node AS runtime-cuda
FROM stock AS runtime-stock

FROM runtime-${TENSORFLOW} AS runtime
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/* \
 && install -d -o node -g node /data
WORKDIR /app
ENV NODE_ENV=production DATA_DIR=/data
COPY package.json ./
COPY docker/healthcheck.mjs docker/
COPY --from=program /app/node_modules node_modules
ENTRYPOINT ["tini", "--"]
VOLUME /data
USER node

# Predicts on the CPU. Don't build it with TENSORFLOW=stock: its engine is built for Debian.
FROM runtime AS server
COPY --from=engine-cpu /engine node_modules/@tensorflow/tfjs-node-gpu
COPY --from=program /app/dist dist
ARG GIT_COMMIT=
ENV HOST=0.0.0.0 PORT=3000 GIT_COMMIT=${GIT_COMMIT}
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["node", "docker/healthcheck.mjs", "server"]
CMD ["node", "dist/server.js"]

FROM engine-${TENSORFLOW} AS engine

FROM runtime AS worker
COPY --from=engine /engine node_modules/@tensorflow/tfjs-node-gpu
COPY --from=program /app/dist dist
ARG TENSORFLOW
ARG GIT_COMMIT=
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility TENSORFLOW=${TENSORFLOW} GIT_COMMIT=${GIT_COMMIT}
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["node", "docker/healthcheck.mjs", "worker"]
CMD ["node", "dist/worker.js"]
