# The cloud. From the repository's top: docker build --file deploy/containers/cloud.Dockerfile .
# Other base images than these: --build-arg SDK=… --build-arg RUNTIME=…
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0-noble
# aspnet, not runtime: health and metrics are served by Kestrel.
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0-noble

# Everything but the program.
FROM ${RUNTIME} AS base
COPY deploy/containers/probe.sh /usr/local/bin/probe
COPY deploy/telemetry.json /etc/telemetry/telemetry.json
COPY deploy/rules.json /etc/telemetry/rules.json
COPY deploy/windows.json /etc/telemetry/windows.json
USER $APP_UID
EXPOSE 1883 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD [ "probe", "9464", "/health/ready" ]
ENTRYPOINT [ "/opt/telemetry-cloud/Telemetry.Cloud" ]
CMD [ "run", "--config", "/etc/telemetry/telemetry.json" ]

# For a program that is published already: --target published, with the program in the context's folder published.
FROM base AS published
COPY published/ /opt/telemetry-cloud/

FROM ${SDK} AS build
WORKDIR /source
COPY .editorconfig Directory.Build.props Directory.Build.targets Directory.Packages.props global.json ./
COPY shared/ shared/
COPY cloud/ cloud/
# Style and analysis are checked where the project is tested.
RUN dotnet publish cloud/Telemetry.Cloud --configuration Release --use-current-runtime --output /published \
    -p:RunAnalyzers=false

FROM base
COPY --from=build /published/ /opt/telemetry-cloud/
