using System.Text.Json;
using System.Text.Json.Serialization;
using Telemetry.SystemTests.Alerts;
using Telemetry.TestKit.Servers;

namespace Telemetry.SystemTests.Cluster;

/// <summary>The configuration files of a cluster's processes, and the ports that stand in them.</summary>
internal sealed class ClusterFiles
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    // A section without a key is absent.
    private static readonly object Nothing = new { };

    private readonly TemporaryFolder _folder;
    private readonly ClusterOptions _options;

    public ClusterFiles(TemporaryFolder folder, ClusterOptions options)
    {
        _folder = folder;
        _options = options;
        Journals = Directory.CreateDirectory(folder.At("journals")).FullName;
        Outboxes = Directory.CreateDirectory(folder.At("outboxes")).FullName;
    }

    public int IngressMqttPort { get; } = FreePort.Next();

    public int IngressStatusPort { get; } = FreePort.Next();

    public int ProcessorStatusPort { get; } = FreePort.Next();

    public int FleetStatusPort { get; } = FreePort.Next();

    public int LoneStatusPort { get; } = FreePort.Next();

    public int SiteStatusPort { get; } = FreePort.Next();

    public int SiteHttpPort { get; } = FreePort.Next();

    public int RelayStatusPort { get; } = FreePort.Next();

    public int DashboardStatusPort { get; } = FreePort.Next();

    public int DashboardPort { get; } = FreePort.Next();

    public string Journals { get; }

    public string Outboxes { get; }

    public string Ingress => _folder.At("ingress.json");

    public string Processor => _folder.At("processor.json");

    public string Fleet => _folder.At("fleet.json");

    public string Lone => _folder.At("lone.json");

    public string Site => _folder.At("site.json");

    public string Relay => _folder.At("relay.json");

    public string Dashboard => _folder.At("dashboard.json");

    public void WriteCloud(string natsUrl, string database, AlertBroker? broker)
    {
        string[] gateways =
        [
            .. Enumerable.Range(1, _options.FleetGateways).Select(i => $"gw-{i:00}"),
            LocalCluster.LoneGateway, LocalCluster.SiteGateway, LocalCluster.Intruder,
        ];
        var passwords = _folder.At("passwords");
        File.WriteAllLines(passwords, gateways.Select(g => $"{g}:{LocalCluster.Password}"));
        Write(Ingress, new
        {
            role = "ingress",
            partitions = _options.Partitions,
            http = new { port = IngressStatusPort },
            nats = new { servers = natsUrl, requestTimeout = "2 s" },
            ingress = new { port = IngressMqttPort, gateways = passwords, plainPasswords = true },
        });
        Write(Processor, new
        {
            role = "processor",
            partitions = _options.Partitions,
            http = new { port = ProcessorStatusPort },
            nats = new { servers = natsUrl, requestTimeout = "2 s" },
            database = new { connection = database },
            processor = new
            {
                owner = _options.ProcessorOwner ?? "",
                lease = "3 s",
                renewEvery = "500 ms",
                leaseRetry = "250 ms",
                timeFirst = "2000-01-01",
                windows = _options.WindowSeconds == 0 ? Nothing : new { file = WriteWidths(), memoryTime = "1 s" },
            },
            alerts = broker is null ? Nothing : new { rules = WriteRules() },
        });
        Write(Dashboard, new
        {
            role = "dashboard",
            partitions = _options.Partitions,
            http = new { port = DashboardStatusPort },
            nats = new { servers = natsUrl, requestTimeout = "2 s" },
            database = new { connection = database },
            dashboard = new { port = DashboardPort },
        });
        if (broker is not null)
        {
            WriteRelay(database, broker);
        }
    }

    private string WriteWidths()
    {
        var file = _folder.At("windows.json");
        Write(file, new { widths = new[] { new { metric = "*", width = $"{_options.WindowSeconds} s" } } });
        return file;
    }

    private void WriteRelay(string database, AlertBroker broker) => Write(Relay, new
    {
        role = "relay",
        http = new { port = RelayStatusPort },
        database = new { connection = database },
        kafka = new
        {
            servers = broker.Servers,
            alertTopic = broker.Topic,
            positionTopic = broker.PositionTopic,
            // A cloud of an older version does not know the key.
            stateTopic = broker.StateTopic == "telemetry.alerts.state" ? null : broker.StateTopic,
            createTopics = broker.IsReal,
            transactionTimeout = "10 s",
        },
        relay = new
        {
            lease = "3 s",
            renewEvery = "500 ms",
            leaseRetry = "250 ms",
            pollEvery = "50 ms",
            retryAfterMax = "2 s",
        },
    });

    /// <summary>A rule on what the sender measures, and one on what the fleet's generators make.</summary>
    private string WriteRules()
    {
        var file = _folder.At("rules.json");
        Write(file, new
        {
            rules = new object[]
            {
                Rule("saw-tooth-high", "warning", "host.saw_tooth", above: 4, clear: 2, "500 ms"),
                Rule("valve-open", "info", "open-*", above: 0.5, clear: 0.5, "2 s"),
            },
        });
        return file;
    }

    // "for" is no word that a member may be called by.
    private static Dictionary<string, object> Rule(
        string name, string severity, string metric, double above, double clear, string held) => new()
        {
            ["name"] = name,
            ["severity"] = severity,
            ["match"] = new { metric },
            ["above"] = above,
            ["clear"] = clear,
            ["for"] = held,
        };

    public void WriteFleet(int uplinkPort, long readingsMax, bool withInputs) => Write(Fleet, new
    {
        fleet = new { gateways = _options.FleetGateways, folder = Outboxes, journals = Journals },
        uplink = Uplink(uplinkPort),
        outbox = Outbox(),
        generator = withInputs ? Generator(readingsMax, 0, 0) : Nothing,
        status = new { port = FleetStatusPort },
    });

    public void WriteLone(int uplinkPort, long readingsMax, bool withInputs) => Write(Lone, new
    {
        gateway = LocalCluster.LoneGateway,
        outbox = Outbox(Path.Combine(Outboxes, LocalCluster.LoneGateway + ".outbox")),
        journal = Path.Combine(Journals, LocalCluster.LoneGateway + ".journal"),
        uplink = Uplink(uplinkPort),
        generator = withInputs ? Generator(readingsMax, _options.UnstorableTextEvery, _options.OldTimeEvery) : Nothing,
        hostMetrics = withInputs && _options.HostMetrics ? new { interval = "2 s" } : Nothing,
        status = new { port = LoneStatusPort },
    });

    public void WriteSite(int uplinkPort, bool withInputs) => Write(Site, new
    {
        gateway = LocalCluster.SiteGateway,
        outbox = Outbox(Path.Combine(Outboxes, LocalCluster.SiteGateway + ".outbox")),
        uplink = Uplink(uplinkPort),
        http = withInputs
            ? new { port = SiteHttpPort, token = LocalCluster.Password, commitDeadline = "100 ms" } : Nothing,
        status = new { port = SiteStatusPort },
    });

    private static object Uplink(int port) => new
    {
        host = "127.0.0.1",
        port,
        password = LocalCluster.Password,
        keepAlive = "2 s",
        heartbeat = "3 s",
        unsettledAfter = "5 s",
        answerTimeout = "2 s",
        backoffMin = "250 ms",
        backoffMax = "2 s",
    };

    // What is freed counts as held until a commit has noted it: an idle outbox would make the booking of losses wait.
    private static Dictionary<string, string> Outbox(string? file = null)
    {
        var outbox = new Dictionary<string, string>
        {
            ["commitDeadline"] = "250 ms",
            ["quotaBytes"] = "256 MiB",
            ["idleCommitInterval"] = "2 s",
        };
        if (file is not null)
        {
            outbox["file"] = file;
        }

        return outbox;
    }

    private object Generator(long readingsMax, int unstorableTextEvery, int oldTimeEvery) => new
    {
        readingsPerSecond = _options.ReadingsPerSecond,
        interval = "200 ms",
        commitDeadline = "250 ms",
        criticalEvery = 40,
        unstorableTextEvery,
        oldTimeEvery,
        readingsMax,
    };

    private static void Write(string path, object content) =>
        File.WriteAllText(path, JsonSerializer.Serialize(content, Indented));
}
