# The cloud. From the repository's top: docker build --file deploy/containers/cloud.Dockerfile .
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /source
COPY .editorconfig Directory.Build.props Directory.Build.targets Directory.Packages.props global.json ./
COPY shared/ shared/
COPY cloud/ cloud/
# The switches of Directory.Build.props stay as they are. HashingFromSdk: this image is the SDK, and has the assembly.
# UseSystemLibrdkafka: the distribution's 2.x, which gets its security updates, rather than the 1.9 that the package of
# Confluent.Kafka would bring; transactions were tested with 2.x.
RUN dotnet publish cloud/Telemetry.Cloud --configuration Release --output /published

# aspnet, not runtime: health and metrics are served by Kestrel.
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
RUN apt-get update \
    && apt-get install --yes --no-install-recommends librdkafka1 \
    && rm -rf /var/lib/apt/lists/*
COPY deploy/containers/probe.sh /usr/local/bin/probe
COPY deploy/telemetry.json /etc/telemetry/telemetry.json
COPY deploy/rules.json /etc/telemetry/rules.json
COPY --from=build /published/ /opt/telemetry-cloud/
USER $APP_UID
EXPOSE 1883 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD [ "probe", "9464", "/health/ready" ]
ENTRYPOINT [ "/opt/telemetry-cloud/Telemetry.Cloud" ]
CMD [ "run", "--config", "/etc/telemetry/telemetry.json" ]
