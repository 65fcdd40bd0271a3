using System.Text.Json;
using Confluent.Kafka;
using MQTTnet;
using MQTTnet.Protocol;
using Npgsql;
using Telemetry.Containers.Engine;
using Xunit.Abstractions;

namespace Telemetry.Containers.Servers;

/// <summary>
/// What each server says of its own version and edition. An image's tag proves nothing: whoever made the image may have
/// put another version into it. The answers go to the report of the run.
/// </summary>
[Collection(ServersCollection.Name)]
public sealed class ServerVersionsTests(ServersFixture servers, ITestOutputHelper output)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    [ContainerFact]
    public async Task Nats_says_its_version()
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync("127.0.0.1", servers.Nats.Port);
        using var reader = new StreamReader(socket.GetStream());
        var greeting = await reader.ReadLineAsync().WaitAsync(Within);
        using var info = JsonDocument.Parse(greeting!["INFO ".Length..]);

        Assert.True(info.RootElement.GetProperty("jetstream").GetBoolean());
        Report("nats-server", info.RootElement.GetProperty("version").GetString());
    }

    [ContainerFact]
    public async Task Timescale_says_its_versions_and_edition()
    {
        await using var source = NpgsqlDataSource.Create(servers.Timescale.GetConnectionString());
        await using var extension = source.CreateCommand("CREATE EXTENSION IF NOT EXISTS timescaledb");
        await extension.ExecuteNonQueryAsync();

        var server = await Ask("SELECT version()");
        var version = await Ask("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'");
        var license = await Ask("SELECT current_setting('timescaledb.license')");

        Report("PostgreSQL", server);
        Report("TimescaleDB", $"{version}, {(license == "timescale" ? "Community" : "Apache")} edition");

        async Task<string?> Ask(string sql)
        {
            await using var command = source.CreateCommand(sql);
            return (string?)await command.ExecuteScalarAsync();
        }
    }

    [ContainerFact]
    public async Task Kafka_says_its_version()
    {
        using var admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = servers.Kafka.GetBootstrapAddress() })
            .SetLogHandler((_, _) => { }).Build();
        var cluster = admin.GetMetadata(Within);
        var versions = await servers.Kafka.ExecAsync(
            ["/opt/kafka/bin/kafka-broker-api-versions.sh", "--version"]);

        Assert.Single(cluster.Brokers);
        Assert.True(versions.ExitCode == 0, versions.Stderr);
        Report("Kafka", versions.Stdout.Trim());
    }

    [ContainerFact]
    public async Task Mosquitto_says_its_version()
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var said = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.ApplicationMessageReceivedAsync += message =>
        {
            said.TrySetResult(message.ApplicationMessage.ConvertPayloadToString());
            return Task.CompletedTask;
        };
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", servers.MqttPort).Build());
        await client.SubscribeAsync("$SYS/broker/version", MqttQualityOfServiceLevel.AtMostOnce);

        Report("mosquitto", await said.Task.WaitAsync(Within));
        await client.DisconnectAsync();
    }

    private void Report(string server, string? says)
    {
        Assert.Matches("[0-9]+[.][0-9]+", says);
        RunReport.Add(output, $"{server,-12} {says}");
    }
}
