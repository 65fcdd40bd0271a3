using System.Net;
using Microsoft.Extensions.Logging;
using Npgsql;
using Telemetry.Cloud.Hosting;
using Telemetry.Ingress;
using Telemetry.Processing;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads the sections of a configuration, key by key.</summary>
internal static class CloudSettingsSections
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1), Second = TimeSpan.FromSeconds(1),
        Minute = TimeSpan.FromMinutes(1), Hour = TimeSpan.FromHours(1), Day = TimeSpan.FromDays(1);

    public static CloudSettings Read(SettingsReader reader)
    {
        var roles = reader.Choice(
            "role",
            CloudRoles.All,
            ("ingress", CloudRoles.Ingress),
            ("processor", CloudRoles.Processor),
            ("relay", CloudRoles.Relay),
            ("all", CloudRoles.All));
        var partitions = reader.Number("partitions", 16, 1, 1024);
        var ingress = Ingress(reader, partitions);
        var log = Log(reader);
        if (log.DuplicateWindow <= ingress.AppendPatience)
        {
            reader.Problem(
                "log.duplicateWindow", $"'{SettingUnits.Show(log.DuplicateWindow)}' is not allowed; more than "
                + $"ingress.appendPatience ({SettingUnits.Show(ingress.AppendPatience)}) is, or a repeated message is "
                + "stored twice");
        }

        var relay = RelaySettings.Relay(reader);
        var kafka = RelaySettings.Kafka(reader, relay.Name);
        if (roles == CloudRoles.Relay && kafka is null)
        {
            reader.Problem("kafka.servers", "is missing; it is needed");
        }

        roles |= roles == CloudRoles.All && kafka is not null ? CloudRoles.Relay : 0;
        return new CloudSettings
        {
            Roles = roles,
            Kafka = kafka,
            Relay = relay,
            Nats = Nats(reader),
            Log = log,
            Database = Database(reader, (roles & (CloudRoles.Processor | CloudRoles.Relay)) != 0),
            Ingress = ingress,
            MqttEndPoint = EndPoint(reader, "ingress", 1883),
            ConnectionsMax = reader.Number("ingress.connectionsMax", 20_000, 1, 1_000_000),
            Access = Access(reader, roles.HasFlag(CloudRoles.Ingress)),
            Passwords = PasswordSettings.Read(reader),
            Processor = Processor(reader, partitions) with { Alerts = Alerts(reader) },
            AlertOutbox = AlertOutbox(reader),
            Traces = TraceSettings.Read(reader),
            HttpEndPoint = EndPoint(reader, "http", 9464),
            StopWithin = reader.Span("stopWithin", TimeSpan.FromSeconds(10), Second, Hour),
            LogLevel = reader.Choice(
                "logging.level",
                LogLevel.Information,
                [.. Enum.GetValues<LogLevel>().Select(level => (level.ToString(), level))]),
            LogAsJson = reader.Flag("logging.json", false),
        };
    }

    private static NatsOptions Nats(SettingsReader reader)
    {
        var options = new NatsOptions
        {
            Servers = reader.List("nats.servers", ["nats://127.0.0.1:4222"]),
            Name = reader.Text("nats.name") ?? "telemetry",
            User = reader.Text("nats.user"),
            Password = reader.Text("nats.password"),
            Token = reader.Text("nats.token"),
            RequestTimeout = reader.Span("nats.requestTimeout", 5 * Second, 100 * Millisecond, Minute),
        };
        try
        {
            options.Validate();
        }
        catch (ArgumentException e)
        {
            reader.Problem("nats", e.Message);
        }

        return options;
    }

    private static JetStreamFrameLogOptions Log(SettingsReader reader)
    {
        var or = new JetStreamFrameLogOptions();
        return or with
        {
            LiveBytesMax = reader.Bytes("log.liveBytesMax", or.LiveBytesMax, 1 << 20, 1L << 44),
            BacklogBytesMax = reader.Bytes("log.backlogBytesMax", or.BacklogBytesMax, 1 << 20, 1L << 44),
            MaxAge = reader.Span("log.maxAge", or.MaxAge, Hour, 3650 * Day),
            DuplicateWindow = reader.Span("log.duplicateWindow", or.DuplicateWindow, Second, Day),
            Replicas = reader.Number("log.replicas", or.Replicas, 1, 5),
            ReadAheadMessages = reader.Number("log.readAheadMessages", or.ReadAheadMessages, 1, 100_000),
            ReadAheadBytes = (int)reader.Bytes("log.readAheadBytes", or.ReadAheadBytes, 128 * 1024, 1 << 30),
        };
    }

    private static PostgresStoreOptions? Database(SettingsReader reader, bool needed)
    {
        var connection = needed ? reader.Required("database.connection") : reader.Text("database.connection") ?? "";
        var password = reader.Text("database.password");
        var options = new PostgresStoreOptions { ConnectionString = "" };
        options = options with
        {
            Migrate = reader.Flag("database.migrate", true),
            CommandTimeout = reader.Span("database.commandTimeout", options.CommandTimeout, Second, Hour),
            KeepRegister = reader.Span("database.keepRegister", options.KeepRegister, Hour, TimeSpan.FromDays(3650)),
            ReadConnectionsMax = reader.Number("database.readConnectionsMax", options.ReadConnectionsMax, 1, 100),
        };
        if (connection.Length == 0)
        {
            return null;
        }

        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connection);
            if (password is not null)
            {
                builder.Password = password;
            }

            return options with { ConnectionString = builder.ConnectionString };
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            reader.Problem("database.connection", $"{e.Message}; 'Host=…;Port=…;Database=…;Username=…' is allowed");
            return null;
        }
    }

    private static IngressOptions Ingress(SettingsReader reader, int partitions)
    {
        var or = new IngressOptions();
        return or with
        {
            Partitions = partitions,
            AppendsInFlightMax = reader.Number("ingress.appendsInFlightMax", or.AppendsInFlightMax, 1, 65_536),
            SessionsPerGatewayMax = reader.Number(
                "ingress.sessionsPerGatewayMax", or.SessionsPerGatewayMax, 1, 1_000_000),
            SchemasPerSecond = reader.Number("ingress.schemasPerSecond", or.SchemasPerSecond, 1, 1_000_000),
            AppendPatience = reader.Span("ingress.appendPatience", or.AppendPatience, Second, Hour),
            DownMessagesMax = reader.Number("ingress.downMessagesMax", or.DownMessagesMax, 1, 1024),
            DownBytesMax = (int)reader.Bytes("ingress.downBytesMax", or.DownBytesMax, 1024, 1 << 28),
        };
    }

    private static AccessSettings Access(SettingsReader reader, bool needed)
    {
        var access = new AccessSettings(
            reader.Text("ingress.gateways"),
            reader.Flag("ingress.plainPasswords", false),
            reader.Text("ingress.tls.certificate"),
            reader.Text("ingress.tls.key"),
            reader.Text("ingress.tls.clientAuthorities"),
            reader.Flag("ingress.tls.clientCertificatesRequired", false));
        if (needed && access is { PasswordFile: null, ClientAuthorities: null })
        {
            reader.Problem("ingress.gateways", "is missing; it or ingress.tls.clientAuthorities says who may connect");
        }

        if (access.Certificate is null != access.Key is null)
        {
            reader.Problem("ingress.tls", "certificate and key are allowed together alone");
        }

        if (access is { Certificate: null, ClientAuthorities: not null }
            or { ClientAuthorities: null, CertificatesRequired: true })
        {
            reader.Problem("ingress.tls", "client certificates need certificate, key and clientAuthorities");
        }

        foreach (var (key, file) in new[]
        {
            ("ingress.gateways", access.PasswordFile), ("ingress.tls.certificate", access.Certificate),
            ("ingress.tls.key", access.Key), ("ingress.tls.clientAuthorities", access.ClientAuthorities),
        })
        {
            if (needed && file is not null && !File.Exists(file))
            {
                reader.Problem(key, $"'{file}' is no file that can be read");
            }
        }

        return access;
    }

    private static ProcessorOptions Processor(SettingsReader reader, int partitions)
    {
        var or = new ProcessorOptions();
        var options = or with
        {
            Partitions = partitions,
            Workers = Math.Min(reader.Number("processor.workers", ProcessorOptions.WorkersDefault, 1, 64), partitions),
            Owner = reader.Text("processor.owner") ?? ProcessIdentity.OfThisProcess,
            Lease = reader.Span("processor.lease", or.Lease, Second, Hour),
            RenewEvery = reader.Span("processor.renewEvery", or.RenewEvery, 100 * Millisecond, Hour),
            LeaseRetry = reader.Span("processor.leaseRetry", or.LeaseRetry, 100 * Millisecond, Hour),
            GatherTime = reader.Span("processor.gatherTime", or.GatherTime, TimeSpan.Zero, 10 * Second),
            BatchReadingsMax = reader.Number("processor.batchReadingsMax", or.BatchReadingsMax, 8192, 1_000_000),
            GatewaysMax = reader.Number("processor.gatewaysMax", or.GatewaysMax, 16, 1_000_000),
            GatewaySeriesMax = reader.Number("processor.gatewaySeriesMax", or.GatewaySeriesMax, 16, 1 << 24),
            GatewaySchemasMax = reader.Number("processor.gatewaySchemasMax", or.GatewaySchemasMax, 16, 1 << 24),
            GatewaySchemaBytesMax = reader.Bytes(
                "processor.gatewaySchemaBytesMax", or.GatewaySchemaBytesMax, 1 << 16, 1 << 30),
            TimeFirst = reader.Time("processor.timeFirst", or.TimeFirst, or.TimeFirst, or.TimeLast),
            TimeLast = reader.Time("processor.timeLast", or.TimeLast, or.TimeFirst, or.TimeLast),
        };
        if (options.TimeFirst >= options.TimeLast)
        {
            reader.Problem("processor.timeFirst", "is not allowed; a time before processor.timeLast is");
        }

        if (options.RenewEvery * 2 > options.Lease)
        {
            reader.Problem(
                "processor.renewEvery", $"'{SettingUnits.Show(options.RenewEvery)}' is not allowed; at most half of "
                + $"processor.lease ({SettingUnits.Show(options.Lease)}) is");
        }

        return options;
    }

    private static AlertOptions Alerts(SettingsReader reader)
    {
        var or = new AlertOptions();
        var rules = or.Rules;
        if (reader.Text("alerts.rules") is { } file)
        {
            rules = AlertRulesFile.Read(file, out var problems) ?? rules;
            foreach (var problem in problems)
            {
                reader.Problem("alerts.rules", problem);
            }
        }

        return or with
        {
            Rules = rules,
            WatchesMax = reader.Number("alerts.watchesMax", or.WatchesMax, 1, 1_000_000),
            InstancesPerFrameMax = reader.Number("alerts.instancesPerFrameMax", or.InstancesPerFrameMax, 1, 8192),
            AheadMax = reader.Span("alerts.aheadMax", or.AheadMax, Second, 365 * Day),
        };
    }

    private static AlertOutboxOptions AlertOutbox(SettingsReader reader)
    {
        var or = new AlertOutboxOptions();
        return or with
        {
            Keep = reader.Span("alerts.outbox.keep", or.Keep, Hour, 3650 * Day),
            RowsMax = reader.Number("alerts.outbox.rowsMax", or.RowsMax, 1000, 1_000_000_000),
        };
    }

    private static IPEndPoint EndPoint(SettingsReader reader, string section, int port)
    {
        var text = reader.Text($"{section}.address") ?? "127.0.0.1";
        if (!IPAddress.TryParse(text, out var address))
        {
            reader.Problem($"{section}.address", $"'{text}' is not allowed; an IP address is (0.0.0.0 listens on all)");
            address = IPAddress.Loopback;
        }

        return new IPEndPoint(address, reader.Number($"{section}.port", port, 0, 65_535));
    }
}
