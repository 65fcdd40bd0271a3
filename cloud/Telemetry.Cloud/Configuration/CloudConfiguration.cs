using System.Net;
using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>
/// Reads the configuration of a cloud process; each section has a class of its own. The sample deploy/telemetry.json
/// has every key.
/// </summary>
internal static class CloudConfiguration
{
    /// <summary>The environment's variables that count begin with it.</summary>
    public const string EnvironmentPrefix = "TELEMETRY__";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>Reads all of it; null when there are problems.</summary>
    public static CloudSettings? Read(SettingsTree tree, out IReadOnlyList<string> problems)
    {
        var reader = new SettingsReader(tree);
        var settings = Read(reader);
        reader.End();
        problems = reader.Problems;
        return problems.Count == 0 ? settings : null;
    }

    /// <summary>Asks for every key; problems stay in the reader.</summary>
    public static CloudSettings Read(SettingsReader reader)
    {
        var roles = reader.Choice(
            "role",
            CloudRoles.All,
            ("ingress", CloudRoles.Ingress),
            ("processor", CloudRoles.Processor),
            ("relay", CloudRoles.Relay),
            ("dashboard", CloudRoles.Dashboard),
            ("all", CloudRoles.All));
        var partitions = reader.Number("partitions", 16, 1, 1024);
        var ingress = IngressSection.Read(reader, partitions);
        var log = LogSection.Read(reader);
        if (log.DuplicateWindow <= ingress.AppendPatience)
        {
            reader.NotAllowed(
                "log.duplicateWindow", SettingUnits.Show(log.DuplicateWindow),
                $"more than ingress.appendPatience ({SettingUnits.Show(ingress.AppendPatience)}), or a repeated "
                + "message is stored twice");
        }

        var relay = RelaySection.Read(reader);
        var kafka = KafkaSection.Read(reader, relay.Name);
        var alertmanager = AlertmanagerSection.Read(reader);
        var outbox = AlertsSection.ReadOutbox(reader);
        var webhooks = WebhooksSection.Read(reader, relay, outbox);
        var relays = kafka is not null || alertmanager is not null || webhooks.Webhooks.Count > 0;
        if (roles == CloudRoles.Relay && !relays)
        {
            reader.Problem("kafka.servers", "is missing, and so are alertmanager.servers and webhooks.file");
        }

        var dashboard = DashboardSection.Read(reader, roles);
        roles |= roles == CloudRoles.All
            ? (relays ? CloudRoles.Relay : 0) | (dashboard is null ? 0 : CloudRoles.Dashboard) : 0;
        return new CloudSettings
        {
            Roles = roles,
            Kafka = kafka,
            Relay = relay,
            Dashboard = dashboard,
            Alertmanager = alertmanager,
            Webhooks = webhooks,
            Nats = NatsSection.Read(reader),
            Log = log,
            Database = DatabaseSection.Read(
                reader, (roles & (CloudRoles.Processor | CloudRoles.Relay | CloudRoles.Dashboard)) != 0),
            Ingress = ingress,
            MqttEndPoint = EndPoint(reader, "ingress", 1883),
            ConnectionsMax = reader.Number("ingress.connectionsMax", 20_000, 1, 1_000_000),
            Access = IngressSection.ReadAccess(reader, roles.HasFlag(CloudRoles.Ingress)),
            Passwords = PasswordSection.Read(reader),
            Processor = ProcessorSection.Read(reader, partitions) with
            {
                Alerts = AlertsSection.Read(reader),
                Windows = WindowsSection.Read(reader),
            },
            Widths = WindowsSection.ReadFile(reader),
            Retention = RetentionSection.Read(reader),
            AlertOutbox = outbox,
            Traces = TraceSection.Read(reader),
            HttpEndPoint = EndPoint(reader, "http", 9464),
            StopWithin = reader.Span("stopWithin", 10 * Second, Second, 3600 * Second),
            LogLevel = reader.Choice(
                "logging.level",
                LogLevel.Information,
                [.. Enum.GetValues<LogLevel>().Select(level => (level.ToString(), level))]),
            LogAsJson = reader.Flag("logging.json", false),
        };
    }

    private static IPEndPoint EndPoint(SettingsReader reader, string section, int port)
    {
        var text = reader.Text($"{section}.address", "127.0.0.1");
        if (!IPAddress.TryParse(text, out var address))
        {
            reader.NotAllowed($"{section}.address", text, "an IP address (0.0.0.0 listens on all)");
            address = IPAddress.Loopback;
        }

        return new IPEndPoint(address, reader.Number($"{section}.port", port, 0, 65_535));
    }
}
