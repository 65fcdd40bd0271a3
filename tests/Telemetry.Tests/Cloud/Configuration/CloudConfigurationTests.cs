using System.Collections;
using System.Net;
using System.Text.RegularExpressions;
using Telemetry.Cloud.Configuration;
using Telemetry.Runtime.Settings;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Cloud.Configuration;

public sealed class CloudConfigurationTests
{
    private static readonly (string Key, string Value)[] Least =
        [("database.connection", "Host=db;Database=t"), ("ingress.gateways", typeof(
            CloudConfigurationTests).Assembly.Location)];

    [Fact]
    public void Least_configuration_takes_the_safe_defaults()
    {
        var settings = Read(out var problems);

        Assert.Empty(problems);
        Assert.Equal(
            (CloudRoles.All, 16, 16), (settings!.Roles, settings.Ingress.Partitions, settings.Processor.Partitions));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 1883), settings.MqttEndPoint);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 9464), settings.HttpEndPoint);
        Assert.Equal(["nats://127.0.0.1:4222"], settings.Nats.Servers);
    }

    [Fact]
    public void Sample_has_every_key_with_its_default()
    {
        var sample = SettingsTree.Load(
            Path.Combine(SourceTree.Root, "deploy/telemetry.json"), CloudConfiguration.EnvironmentPrefix,
            Variables(Least));

        var settings = CloudConfiguration.Read(sample, out var problems);

        Assert.Empty(problems);
        var defaults = Read(out _)!;
        Assert.Equal(defaults with { Nats = settings!.Nats }, settings);
        Assert.Equal(defaults.Nats with { Servers = settings.Nats.Servers }, settings.Nats);
    }

    [Theory]
    [InlineData("role", "router", "role: 'router' is not allowed; use ingress, processor, relay, dashboard or all")]
    [InlineData("partitions", "0", "partitions: '0' is not allowed; use 1 to 1024")]
    [InlineData("ingress.port", "70000", "ingress.port: '70000' is not allowed; use 0 to 65535")]
    [InlineData(
        "ingress.address", "localhost",
        "ingress.address: 'localhost' is not allowed; use an IP address (0.0.0.0 listens on all)")]
    [InlineData("ingress.gateways", "/no/such", "ingress.gateways: the file '/no/such' does not exist")]
    [InlineData("alerts.rules", "/no/such", "alerts.rules: /no/such: cannot be read: ")]
    [InlineData("processor.windows.file", "/no/such", "processor.windows.file: /no/such: cannot be read: ")]
    [InlineData(
        "processor.windows.memoryTime", "0 s", "processor.windows.memoryTime: '0 s' is not allowed; use 1 s to 1 h")]
    [InlineData(
        "processor.windows.partsMax", "9",
        "processor.windows.partsMax: '9' is not allowed; use 1000 to 10000000")]
    [InlineData(
        "alerts.outbox.keep", "1 s",
        "alerts.outbox.keep: '1 s' is not allowed; use 1 h to 3650 d")]
    [InlineData(
        "traces.endpoint", "collector:4318",
        "traces.endpoint: is not allowed; use the address of a collector (http://host:4318)")]
    [InlineData("traces.protocol", "zipkin", "traces.protocol: 'zipkin' is not allowed; use http/protobuf or grpc")]
    [InlineData("traces.ratio", "1.5", "traces.ratio: '1.5' is not allowed; use 0 to 1")]
    [InlineData("traces.waitingSpansMax", "0", "traces.waitingSpansMax: '0' is not allowed; use 1 to 65536")]
    [InlineData(
        "traces.sendTimeout", "1 h",
        "traces.sendTimeout: '1 h' is not allowed; use 100 ms to 1 min")]
    [InlineData(
        "ingress.prot", "1", "ingress.prot: is not a key of this program")]
    [InlineData("log.liveBytesMax", "12 MB", "log.liveBytesMax: '12 MB' is not allowed; use 1 MiB to 16 TiB")]
    [InlineData(
        "log.maxAge", "7",
        "log.maxAge: '7' is not allowed; use 1 h to 3650 d")]
    [InlineData(
        "log.duplicateWindow", "20 s",
        "log.duplicateWindow: '20 s' is not allowed; use more than ingress.appendPatience (20 s), or a repeated "
        + "message is stored twice")]
    [InlineData("ingress.plainPasswords", "yes", "ingress.plainPasswords: 'yes' is not allowed; use true or false")]
    [InlineData(
        "ingress.tls.certificate", "/no",
        "ingress.tls: certificate is not allowed without key, nor key without certificate")]
    [InlineData(
        "processor.renewEvery", "6 s",
        "processor.renewEvery: '6 s' is not allowed; use at most half of processor.lease (2.5 s)")]
    [InlineData("database.connection", "Hots=x", "database.connection: ")]
    [InlineData("kafka.servers", "kafka", "kafka.servers: 'kafka' is not allowed; use host:port")]
    [InlineData(
        "kafka.alertTopic", "a b",
        "kafka.alertTopic: 'a b' is not allowed; use 1 to 249 letters, digits, dots, underscores and hyphens")]
    [InlineData(
        "kafka.positionTopic", "telemetry.alerts",
        "kafka.positionTopic: 'telemetry.alerts' is not allowed; use another topic than kafka.alertTopic")]
    [InlineData(
        "kafka.properties.transactional.id", "x",
        "kafka.properties.transactional.id: is not allowed; the relay sets it itself")]
    [InlineData(
        "relay.renewEvery", "6 s", "relay.renewEvery: '6 s' is not allowed; use at most half of relay.lease (10 s)")]
    [InlineData("role", "dashboard", "dashboard.port: is missing")]
    [InlineData("role", "relay", "kafka.servers: is missing, and so are alertmanager.servers and webhooks.file")]
    [InlineData(
        "alertmanager.servers", "127.0.0.1:9093",
        "alertmanager.servers: '127.0.0.1:9093' is not allowed; use an address such as http://127.0.0.1:9093")]
    [InlineData(
        "alertmanager.endsAfter", "90 s",
        "alertmanager.endsAfter: '1.5 min' is not allowed; use at least twice alertmanager.resendEvery (1 min)")]
    [InlineData("dashboard.address", "everywhere", "dashboard.address: 'everywhere' is not allowed; use an IP address")]
    [InlineData(
        "nats.servers", "http://x",
        "nats: Servers: 'http://x' is not allowed; use nats://host:port or tls://host:port")]
    public void Wrong_value_is_told_by_its_key_with_what_is_allowed(string key, string value, string problem)
    {
        Assert.Null(Read(out var problems, (key, value)));
        Assert.Contains(problems, said => said.StartsWith(problem, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("16", null, 2)]
    [InlineData("16", "5", 5)]
    [InlineData("3", "64", 3)]
    [InlineData("1", null, 1)]
    public void Workers_are_two_unless_given_and_never_more_than_partitions(string partitions, string? workers, int of)
    {
        var given = workers is null ? [] : new[] { ("processor.workers", workers) };
        var settings = Read(out var problems, [("partitions", partitions), .. given]);

        Assert.Empty(problems);
        Assert.Equal(of, settings!.Processor.Workers);
    }

    [Fact]
    public void Rules_file_is_read_with_the_configuration()
    {
        var settings = Read(out var problems, ("alerts.rules", Path.Combine(SourceTree.Root, "deploy/rules.json")));

        Assert.Empty(problems);
        Assert.Equal(
            ["host-hot", "memory-falls", "sensor-stuck", "memory-low", "boiler-hot"],
            settings!.Processor.Alerts.Rules.All.Select(r => r.Name));
    }

    [Fact]
    public void Windows_file_and_limits_are_read_with_the_configuration()
    {
        var file = Path.Combine(SourceTree.Root, "deploy/windows.json");
        var settings = Read(
            out var problems, ("processor.windows.file", file), ("processor.windows.partsMax", "5000"),
            ("processor.windows.memoryTime", "10 s"));

        Assert.Empty(problems);
        Assert.Equal((file, 2), (settings!.Widths!.File, settings.Widths.Entries.Count));
        Assert.Equal(
            (5000, TimeSpan.FromSeconds(10)),
            (settings.Processor.Windows.PartsMax, settings.Processor.Windows.MemoryTime));
    }

    [Fact]
    public void Missing_keys_are_all_told_at_once()
    {
        var nothing = SettingsTree.Parse("{}", CloudConfiguration.EnvironmentPrefix, new Hashtable());
        Assert.Null(CloudConfiguration.Read(nothing, out var problems));

        Assert.Equal(
            ["database.connection: is missing",
                "ingress.gateways: is missing; this or ingress.tls.clientAuthorities says who may connect"],
            problems);
    }

    [Fact]
    public void Ingress_alone_needs_no_database()
    {
        var settings = Read(out _, ("role", "ingress"), ("database.connection", ""));

        Assert.Equal(CloudRoles.Ingress, settings!.Roles);
        Assert.Null(settings.Database);
    }

    [Fact]
    public void Password_may_stand_apart_from_the_connection()
    {
        var settings = Read(out _, ("database.password", "a;b"));

        Assert.Equal("a;b", new Npgsql.NpgsqlConnectionStringBuilder(settings!.Database!.ConnectionString).Password);
    }

    [Fact]
    public void All_has_the_dashboard_only_where_its_port_is_configured()
    {
        Assert.Null(Read(out _)!.Dashboard);

        var settings = Read(out _, ("dashboard.port", "8080"), ("dashboard.address", "::1"));

        Assert.Equal(CloudRoles.All | CloudRoles.Dashboard, settings!.Roles);
        Assert.Equal("[::1]:8080", settings.Dashboard!.EndPoint.ToString());
    }

    [Fact]
    public void All_has_the_relay_only_where_kafka_is_configured()
    {
        Assert.Equal(CloudRoles.Ingress | CloudRoles.Processor, Read(out _)!.Roles);

        var settings = Read(out _, ("kafka.servers", "a:9092,b:9092"), ("relay.name", "mine"));

        Assert.Equal(CloudRoles.All | CloudRoles.Relay, settings!.Roles);
        Assert.Equal(["a:9092", "b:9092"], settings.Kafka!.Servers);
        Assert.Equal("mine", settings.Kafka.TransactionalId);
    }

    [Fact]
    public void Owners_name_has_something_random_beside_host_and_process_unless_it_is_told()
    {
        var settings = Read(out _)!;
        Assert.Matches(
            $"^{Regex.Escape(Environment.MachineName)}/{Environment.ProcessId}-[0-9a-f]{{8}}$",
            settings.Processor.Owner);
        Assert.Equal(settings.Processor.Owner, settings.Relay.Owner);

        settings = Read(out _, ("processor.owner", "one"), ("relay.owner", "two"))!;
        Assert.Equal(("one", "two"), (settings.Processor.Owner, settings.Relay.Owner));
    }

    [Fact]
    public void Properties_of_kafka_are_passed_on_nested_or_not()
    {
        var settings = Read(
            out var problems,
            ("kafka.servers", "a:9092"),
            ("kafka.properties.SASL.PASSWORD", "Secret"),
            ("kafka.properties.security.protocol", "SASL_SSL"));

        Assert.Empty(problems);
        Assert.Equal(
            ("Secret", "SASL_SSL"), (settings!.Kafka!.Properties["sasl.password"],
                settings.Kafka.Properties["security.protocol"]));
    }

    private static CloudSettings? Read(out IReadOnlyList<string> problems, params (string Key, string Value)[] more)
    {
        var tree = SettingsTree.Parse("{}", CloudConfiguration.EnvironmentPrefix, Variables(Least.Concat(more)));
        return CloudConfiguration.Read(tree, out problems);
    }

    private static Hashtable Variables(IEnumerable<(string Key, string Value)> values)
    {
        var variables = new Hashtable();
        foreach (var (key, value) in values)
        {
            variables["TELEMETRY__" + key.Replace(".", "__", StringComparison.Ordinal)] = value;
        }

        return variables;
    }
}
