# The agent. From the repository's top: docker build --file deploy/containers/agent.Dockerfile .
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /source
COPY .editorconfig Directory.Build.props Directory.Build.targets Directory.Packages.props global.json ./
COPY shared/ shared/
COPY edge/ edge/
# HashingFromSdk (Directory.Build.props) stays as it is: this image is the SDK, and has the assembly.
RUN dotnet publish edge/Telemetry.Agent --configuration Release --output /published

# aspnet, not runtime: the HTTP input is served by Kestrel.
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
# The distribution's SQLite, which it patches, is taken before the one bundled with the package.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=$APP_UID --group=$APP_UID --mode=0700 /var/lib/telemetry-agent
COPY deploy/containers/probe.sh /usr/local/bin/probe
COPY deploy/containers/agent.json /etc/telemetry-agent/agent.json
COPY --from=build /published/ /opt/telemetry-agent/
USER $APP_UID
VOLUME /var/lib/telemetry-agent
EXPOSE 8086
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD [ "probe", "9180", "/health/ready" ]
ENTRYPOINT [ "/opt/telemetry-agent/Telemetry.Agent" ]
CMD [ "run", "--config", "/etc/telemetry-agent/agent.json" ]
