# The agent. From the repository's top: docker build --file deploy/containers/agent.Dockerfile .
# Other base images than these: --build-arg SDK=… --build-arg RUNTIME=…
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0-noble
# aspnet, not runtime: the HTTP input is served by Kestrel.
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0-noble

# Everything but the program.
FROM ${RUNTIME} AS base
RUN install --directory --owner=$APP_UID --group=$APP_UID --mode=0700 /var/lib/telemetry-agent
COPY deploy/containers/probe.sh /usr/local/bin/probe
COPY deploy/containers/agent.json /etc/telemetry-agent/agent.json
USER $APP_UID
VOLUME /var/lib/telemetry-agent
EXPOSE 8086
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD [ "probe", "9180", "/health/ready" ]
ENTRYPOINT [ "/opt/telemetry-agent/Telemetry.Agent" ]
CMD [ "run", "--config", "/etc/telemetry-agent/agent.json" ]

# For a program that is published already: --target published, with the program in the context's folder published.
FROM base AS published
COPY published/ /opt/telemetry-agent/

FROM ${SDK} AS build
WORKDIR /source
COPY .editorconfig Directory.Build.props Directory.Build.targets Directory.Packages.props global.json ./
COPY shared/ shared/
COPY edge/ edge/
# Style and analysis are checked where the project is tested.
RUN dotnet publish edge/Telemetry.Agent --configuration Release --use-current-runtime --output /published \
    -p:RunAnalyzers=false

FROM base
COPY --from=build /published/ /opt/telemetry-agent/
