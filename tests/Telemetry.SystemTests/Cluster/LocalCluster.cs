using Npgsql;
using Telemetry.SystemTests.Alerts;
using Telemetry.SystemTests.Senders;
using Telemetry.TestKit.Network;
using Telemetry.TestKit.Servers;

namespace Telemetry.SystemTests.Cluster;

/// <summary>
/// The whole system as processes of its own on free ports of 127.0.0.1, with all files in temporary folders:
/// nats-server, PostgreSQL, Kafka, ingress, processor, relay, a fleet of gateways in one process, one gateway alone,
/// and one that takes line protocol by HTTP. Agents reach the ingress through a proxy that can cut the link. Whatever
/// happens to this process, nothing of it is left behind.
/// </summary>
public sealed class LocalCluster : IAsyncDisposable
{
    /// <summary>The gateway that has a process to itself.</summary>
    public const string LoneGateway = "lone";

    /// <summary>The gateway that takes line protocol by HTTP.</summary>
    public const string SiteGateway = "site";

    /// <summary>An identity without an agent, for clients that do harm.</summary>
    public const string Intruder = "intruder";

    /// <summary>Everybody's password.</summary>
    public const string Password = "system-tests";

    private readonly TemporaryFolder _folder = new();
    private readonly ClusterFiles _files;
    private FaultProxy? _link, _siteLink;

    private LocalCluster(ClusterOptions options)
    {
        Options = options;
        _files = new ClusterFiles(_folder, options);
        string[] Run(string file) => ["run", "--config", file];
        Ingress = new DotnetProcess("ingress", "Telemetry.Cloud", _folder.At("ingress"), Run(_files.Ingress));
        Processor = new DotnetProcess("processor", "Telemetry.Cloud", _folder.At("processor"), Run(_files.Processor));
        Fleet = new DotnetProcess(
            "fleet", "Telemetry.Simulator", _folder.At("fleet"), Run(_files.Fleet))
        { DropEvery = options.DropEvery };
        Lone = new DotnetProcess(
            "agent", "Telemetry.Agent", _folder.At("agent"), Run(_files.Lone))
        { DropEvery = options.DropEvery };
        Site = new DotnetProcess("site", "Telemetry.Agent", _folder.At("site"), Run(_files.Site));
        Relay = new DotnetProcess("relay", "Telemetry.Cloud", _folder.At("relay"), Run(_files.Relay));
        Dashboard = new DotnetProcess("dashboard", "Telemetry.Cloud", _folder.At("dashboard"), Run(_files.Dashboard));
        SiteSender = new LineSender(
            _files.SiteHttpPort, Password, Path.Combine(_files.Journals, SiteGateway + ".journal"), SiteGateway);
    }

    public ClusterOptions Options { get; }

    public string Folder => _folder.FullPath;

    public NatsServer Nats { get; private set; } = null!;

    public PostgresServer Postgres { get; private set; } = null!;

    public DotnetProcess Ingress { get; }

    public DotnetProcess Processor { get; }

    public DotnetProcess Fleet { get; }

    public DotnetProcess Lone { get; }

    public DotnetProcess Site { get; }

    public DotnetProcess Relay { get; }

    public DotnetProcess Dashboard { get; }

    /// <summary>The address of the fleet's page, once <see cref="StartDashboardAsync"/> has run.</summary>
    public string DashboardAddress => $"http://127.0.0.1:{_files.DashboardPort}/";

    /// <summary>Who sends line protocol to <see cref="Site"/>.</summary>
    public LineSender SiteSender { get; }

    /// <summary>Where alerts go; null where the cluster has none.</summary>
    public AlertBroker? Broker { get; private set; }

    /// <summary>The link between all agents and the ingress.</summary>
    public FaultProxy Link => _link ?? throw new InvalidOperationException("not started yet");

    /// <summary>The link of the agent that takes line protocol; that of all agents unless it has its own.</summary>
    public FaultProxy SiteLink => _siteLink ?? Link;

    public StatusClient Status { get; } = new();

    public int IngressPort => _files.IngressMqttPort;

    public int IngressStatusPort => _files.IngressStatusPort;

    /// <summary>Where <see cref="Site"/> takes line protocol.</summary>
    public int SiteHttpPort => _files.SiteHttpPort;

    /// <summary>The journals of all senders that have begun one.</summary>
    public IReadOnlyList<string> Journals => Directory.GetFiles(_files.Journals, "*.journal");

    /// <summary>Everything up but the agents.</summary>
    public static async Task<LocalCluster> StartAsync(ClusterOptions options)
    {
        var cluster = new LocalCluster(options);
        try
        {
            await cluster.StartServersAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>How many readings each agent makes, over all its runs; 0: no end.</summary>
    public long ReadingsEach { get; set; }

    /// <summary>False: agents that are started from now on have no inputs, and only drain.</summary>
    public bool WithInputs { get; set; } = true;

    /// <summary>Starts the fleet, the lone agent, and the one that takes line protocol.</summary>
    public Task StartAgentsAsync() => Task.WhenAll(StartFleetAsync(), StartLoneAsync(), StartSiteAsync());

    public async Task StartSiteAsync()
    {
        if (!Options.WithSite)
        {
            return;
        }

        _files.WriteSite(SiteLink.Port, WithInputs);
        await Site.StartAsync(Ready(_files.SiteStatusPort));
        if (WithInputs)
        {
            SiteSender.Start();
        }
    }

    public Task StartRelayAsync() =>
        Options.WithAlerts ? Relay.StartAsync(Ready(_files.RelayStatusPort)) : Task.CompletedTask;

    public Task StartDashboardAsync() => Dashboard.StartAsync(Ready(_files.DashboardStatusPort));

    public async Task StartFleetAsync()
    {
        _files.WriteFleet(Link.Port, ReadingsEach, WithInputs);
        await Fleet.StartAsync(Ready(_files.FleetStatusPort));
    }

    public async Task StartLoneAsync(string crashAt = "")
    {
        _files.WriteLone(Link.Port, ReadingsEach, WithInputs);
        if (crashAt.Length > 0)
        {
            await Lone.LaunchAsync(crashAt);
        }
        else
        {
            await Lone.StartAsync(Ready(_files.LoneStatusPort));
        }
    }

    public Task StartIngressAsync() => Ingress.StartAsync(Ready(_files.IngressStatusPort));

    /// <summary>Starts the processor; with a crash point without waiting until it is ready.</summary>
    public Task StartProcessorAsync(string crashAt = "") =>
        crashAt.Length > 0 ? Processor.LaunchAsync(crashAt) : Processor.StartAsync(Ready(_files.ProcessorStatusPort));

    /// <summary>Stops the agents in order; what they hold stays in their outboxes.</summary>
    public async Task StopAgentsAsync()
    {
        await SiteSender.StopAsync();
        await Task.WhenAll(Fleet.StopAsync(), Lone.StopAsync(), Site.StopAsync());
    }

    /// <summary>What all agents say of themselves; those of a process that is down are missing.</summary>
    public async Task<IReadOnlyList<GatewayStatus>> AgentsAsync(CancellationToken cancellationToken)
    {
        var fleet = Status.AgentsAsync(_files.FleetStatusPort, cancellationToken);
        var lone = Status.AgentsAsync(_files.LoneStatusPort, cancellationToken);
        var site = Options.WithSite
            ? Status.AgentsAsync(_files.SiteStatusPort, cancellationToken)
            : Task.FromResult<IReadOnlyList<GatewayStatus>>([]);
        return [.. await fleet, .. await lone, .. await site];
    }

    /// <summary>What the database says of all gateways.</summary>
    public Task<IReadOnlyDictionary<string, BooksRow>> BooksAsync(CancellationToken cancellationToken) =>
        BooksRow.ReadAsync(Postgres.ConnectionString, cancellationToken);

    /// <summary>Runs one statement.</summary>
    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(Postgres.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Where everything is, for people.</summary>
    public string Describe() =>
        $"""
        folder      {Folder}
        PostgreSQL  {Postgres.ConnectionString}
        NATS        {Nats.Url}
        MQTT        127.0.0.1:{_files.IngressMqttPort} (through the link that is cut: {Link.Port}),
                    user = gateway, password {Password}
        HTTP        http://127.0.0.1:{_files.SiteHttpPort}/api/v2/write,
                    token {Password} (line protocol, gateway {SiteGateway})
        page        {(Dashboard.IsRunning ? DashboardAddress : "none")}
        alerts      {(Broker is null ? "none" : $"topic {Broker.Topic} at {Broker.Servers}: {Broker.Name}")}
        status      ingress {_files.IngressStatusPort}, processor {_files.ProcessorStatusPort},
                    relay {_files.RelayStatusPort}, fleet {_files.FleetStatusPort},
                    lone agent {_files.LoneStatusPort}, site {_files.SiteStatusPort}
        """;

    public async ValueTask DisposeAsync()
    {
        await Dashboard.DisposeAsync();
        await Relay.DisposeAsync();
        await Site.DisposeAsync();
        await SiteSender.DisposeAsync();
        await Fleet.DisposeAsync();
        await Lone.DisposeAsync();
        await Processor.DisposeAsync();
        await Ingress.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        foreach (var link in new[] { _link, _siteLink }.OfType<FaultProxy>())
        {
            await link.DisposeAsync();
        }

        if (Nats is not null)
        {
            await Nats.DisposeAsync();
        }

        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }

        if (Broker is not null)
        {
            await Broker.DisposeAsync();
        }

        Status.Dispose();
        await _folder.DisposeAsync();
    }

    private async Task StartServersAsync()
    {
        var nats = NatsServer.Start();
        var postgres = PostgresServer.Start(new PostgresOptions { ForceToDisk = Options.ForceToDisk });
        var broker = Options.WithAlerts ? AlertBroker.StartAsync() : null;
        Nats = await nats;
        Postgres = await postgres;
        Broker = broker is null ? null : await broker;
        _link = new FaultProxy(_files.IngressMqttPort);
        _siteLink = Options.SiteHasItsOwnLink ? new FaultProxy(_files.IngressMqttPort) : null;
        _files.WriteCloud(Nats.Url, Postgres.ConnectionString, Broker);
        await StartProcessorAsync();
        await StartIngressAsync();
        await StartRelayAsync();
    }

    private Func<CancellationToken, Task<bool>> Ready(int port) =>
        async cancellation => await Status.TextAsync(port, "/health/ready", cancellation) is not null;
}
