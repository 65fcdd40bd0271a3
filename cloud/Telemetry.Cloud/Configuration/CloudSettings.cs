using System.Net;
using Microsoft.Extensions.Logging;
using Telemetry.Alerting.Alertmanager;
using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Alerting.Webhooks;
using Telemetry.Dashboard;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Ingress;
using Telemetry.Ingress.Access;
using Telemetry.Processing;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Retention;
using Telemetry.Storage.Windows;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Configuration;

/// <summary>What a process does.</summary>
[Flags]
internal enum CloudRoles
{
    /// <summary>Takes what gateways send into the log.</summary>
    Ingress = 1,

    /// <summary>Owns partitions and stores.</summary>
    Processor = 2,

    /// <summary>
    /// Ingress and processor in one process; the relay too, where it has something to do, and the dashboard, where its
    /// port is configured.
    /// </summary>
    All = Ingress | Processor,

    /// <summary>Brings alerts to Kafka and to people.</summary>
    Relay = 4,

    /// <summary>Serves the pages on which people watch the fleet.</summary>
    Dashboard = 8,
}

/// <summary>Who may connect to the ingress, and how.</summary>
/// <param name="PasswordFile">See <see cref="GatewayPasswords"/>; null: no passwords.</param>
/// <param name="PlainPasswords">Development: passwords stand in that file as they are.</param>
/// <param name="Certificate">PEM file of the server's certificate; null speaks plain TCP.</param>
/// <param name="Key">PEM file of its key.</param>
/// <param name="ClientAuthorities">PEM file of the authorities of client certificates; null asks for none.</param>
/// <param name="CertificatesRequired">A client without a certificate is refused in the handshake.</param>
internal sealed record AccessSettings(
    string? PasswordFile,
    bool PlainPasswords,
    string? Certificate,
    string? Key,
    string? ClientAuthorities,
    bool CertificatesRequired);

/// <summary>
/// All that a cloud process is told, validated. <see cref="CloudConfiguration"/> reads it.
/// </summary>
internal sealed record CloudSettings
{
    public CloudRoles Roles { get; init; } = CloudRoles.All;

    public NatsOptions Nats { get; init; } = new();

    public JetStreamFrameLogOptions Log { get; init; } = new();

    /// <summary>Null where no database is needed.</summary>
    public PostgresStoreOptions? Database { get; init; }

    public IngressOptions Ingress { get; init; } = new();

    public IPEndPoint MqttEndPoint { get; init; } = new(IPAddress.Loopback, 1883);

    /// <summary>Connections at once; one more is closed at once. Default 20,000.</summary>
    public int ConnectionsMax { get; init; } = 20_000;

    public AccessSettings Access { get; init; } = new(null, false, null, null, null, false);

    /// <summary>How passwords of gateways are checked.</summary>
    public PasswordOptions Passwords { get; init; } = new();

    public ProcessorOptions Processor { get; init; } = new();

    /// <summary>The entries of the windows file; null where none is configured.</summary>
    public ConfiguredWidths? Widths { get; init; }

    /// <summary>For how long readings and windows are kept.</summary>
    public RetentionRules Retention { get; init; } = RetentionRules.None;

    public AlertOutboxOptions AlertOutbox { get; init; } = new();

    /// <summary>Null where no Kafka is configured: alerts then stay in the database.</summary>
    public KafkaOptions? Kafka { get; init; }

    public RelayOptions Relay { get; init; } = new();

    /// <summary>Null where the dashboard has no port.</summary>
    public DashboardOptions? Dashboard { get; init; }
    /// <summary>Without webhooks where none are configured.</summary>
    public WebhookOptions Webhooks { get; init; } = new();

    /// <summary>Null where no Alertmanager is configured.</summary>
    public AlertmanagerOptions? Alertmanager { get; init; }

    public TraceExportOptions Traces { get; init; } = new();

    public IPEndPoint HttpEndPoint { get; init; } = new(IPAddress.Loopback, 9464);

    /// <summary>
    /// How long a stop may take in all; then the process ends as if it were killed, which loses nothing.
    /// </summary>
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(10);

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Log lines as JSON rather than as text.</summary>
    public bool LogAsJson { get; init; }
}
