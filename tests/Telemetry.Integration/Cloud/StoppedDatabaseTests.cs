using System.Globalization;
using System.Net;
using Npgsql;
using Telemetry.Integration.Processing;
using Telemetry.Integration.Tracing;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.Cloud;

/// <summary>
/// What a process says while its database is stopped under full load. The long form is asked for by the environment:
/// <c>TELEMETRY_DATABASE_STOPPED_SECONDS=300</c>.
/// </summary>
public sealed class StoppedDatabaseTests(ITestOutputHelper output)
{
    private const int Partitions = 4, LinesMax = 20;

    /// <summary>Measured 1 to 3 s.</summary>
    private static readonly TimeSpan SaidWithin = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Stopped = TimeSpan.FromSeconds(int.Parse(
        Environment.GetEnvironmentVariable("TELEMETRY_DATABASE_STOPPED_SECONDS") ?? "12",
        CultureInfo.InvariantCulture));

    [ServersFact(nats: true, postgres: true)]
    public async Task Stopped_database_is_named_by_readiness_and_said_in_a_few_lines_without_a_trace()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        cloud.Configuration = cloud.Configuration.Replace(
            "\"partitions\": 2", $"\"partitions\": {Partitions}", StringComparison.Ordinal);
        await cloud.Start();
        await cloud.WaitUntilReady();
        await using var connection = await JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [nats.Url] });
        await using var source = new FrameSource(
            new JetStreamFrameLog(
                connection, new JetStreamFrameLogOptions(), SampleInstallation.Of(Partitions)),
            Partitions);
        var gateways = source.Gateways(ofPartition: 4);
        await source.SendSchemas(gateways);
        using var stop = new CancellationTokenSource();
        var flow = source.Flow(gateways, readings: 100, TimeSpan.FromMilliseconds(20), stop.Token);
        await using var agent = new AgentProcess(cloud.MqttPort, "{}", readings: int.MaxValue);
        await agent.Start();
        await Stored(cloud, 5000);
        await ProcessorPair.Until("the agent is connected", async () => (await Lines(agent.Process)).Length > 1);

        var agentLinesBefore = await Lines(agent.Process);
        var linesBefore = await Lines(cloud);
        await postgres.Stop();
        var down = await Measure(cloud.WaitUntilNotReady("database: "));
        await Task.Delay(Stopped);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await cloud.Get("/health/ready")).Status);
        Assert.Equal(HttpStatusCode.OK, (await cloud.Get("/health/live")).Status);
        await postgres.Start();
        var up = await Measure(cloud.WaitUntilReady());
        await cloud.OutputWith("The database was reached again after ");
        await stop.CancelAsync();
        await flow;
        await ProcessorPair.Until(
            "all but the agent's readings are stored",
            async () => await StoredOfFrames(postgres) >= source.Sent,
            TimeSpan.FromMinutes(1) + Stopped * 2);

        var agentLines = (await Lines(agent.Process))[agentLinesBefore.Length..];
        output.WriteLine($"{agentLines.Length} lines of the agent:\n{string.Join('\n', agentLines)}");
        Assert.InRange(agentLines.Length, 0, LinesMax);

        var lines = (await Lines(cloud))[linesBefore.Length..];
        output.WriteLine($"503 after {down}, 200 after {up}; {lines.Length} lines in {Stopped} stopped:");
        output.WriteLine(string.Join('\n', lines));
        Assert.InRange(down, TimeSpan.Zero, SaidWithin);
        Assert.InRange(up, TimeSpan.Zero, SaidWithin);
        Assert.InRange(lines.Length, 2, LinesMax);
        Assert.Single(lines, line => line.Contains("The database cannot be reached: ", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("   at ", StringComparison.Ordinal));
        var verdict = await source.Judge(postgres.ConnectionString);
        // The agent keeps no journal: its rows are all that may be wrong.
        Assert.True(verdict.Gateways.All(g => g.Faults.Count == 0), verdict.ToString());
        Assert.All(verdict.Faults, fault => Assert.Matches("gateway: gw-1,|without a journal$", fault));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Stopped_log_is_named_by_readiness_and_said_in_a_few_lines_without_a_trace()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        cloud.Configuration = cloud.Configuration.Replace(
            "\"ingress\": {", "\"ingress\": { \"appendPatience\": \"1 s\",", StringComparison.Ordinal);
        await cloud.Start();
        await cloud.WaitUntilReady();
        await using var gateway = new HonestGateway(GatewayId.Parse("gw-1"), cloud.MqttPort, "one");
        await Stored(cloud, 25);

        var linesBefore = await Lines(cloud);
        await nats.Kill();
        await cloud.WaitUntilNotReady("nats: ");
        await Task.Delay(Stopped);
        await nats.Restart();
        await cloud.WaitUntilReady();
        await cloud.OutputWith("NATS was reached again after ");
        await cloud.OutputWith("Frames are taken again after ");
        await gateway.Stop();
        await Stored(cloud, gateway.Sent);

        var lines = (await Lines(cloud))[linesBefore.Length..];
        output.WriteLine($"{lines.Length} lines in {Stopped} stopped:\n{string.Join('\n', lines)}");
        Assert.InRange(lines.Length, 2, LinesMax);
        Assert.Single(lines, line => line.Contains("NATS cannot be reached: ", StringComparison.Ordinal));
        Assert.Single(lines, line => line.Contains("Frames are refused for now", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("   at ", StringComparison.Ordinal));

        await cloud.Process.Stop(ProcessSignal.Terminate);
        var last = (await Lines(cloud))[(linesBefore.Length + lines.Length)..];
        Assert.DoesNotContain(last, line => line.Contains("cannot be reached", StringComparison.Ordinal));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Full_log_is_named_by_readiness_until_it_has_room_again_though_nobody_sends()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        await cloud.Start();
        await cloud.WaitUntilReady();
        await using var connection = await JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [nats.Url] });
        await LetLiveStreamsHold(connection, bytes: 10);
        await using var gateway = new HonestGateway(GatewayId.Parse("gw-1"), cloud.MqttPort, "one");
        await cloud.OutputWith("Frames are refused for now");
        const string Refused = "ingress: frames are refused: ";

        var down = await Measure(cloud.WaitUntilNotReady(Refused));
        await gateway.GiveUp();
        await Task.Delay(SaidWithin);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await cloud.Get("/health/ready")).Status);
        await LetLiveStreamsHold(connection, bytes: 1 << 20);
        var up = await Measure(cloud.WaitUntilReady());

        output.WriteLine($"503 after {down}, 200 after {up}");
        Assert.InRange(down, TimeSpan.Zero, SaidWithin);
        Assert.InRange(up, TimeSpan.Zero, SaidWithin);
    }

    private static async Task LetLiveStreamsHold(JetStreamConnection connection, long bytes)
    {
        for (var partition = 0; partition < 2; partition++)
        {
            var found = await connection.FindStreamAsync(StreamNames.Stream(partition, StreamKind.Live, 1), default);
            await connection.Context.UpdateStreamAsync(found!.Config with { MaxBytes = bytes }, default);
        }
    }

    private static async Task<long> StoredOfFrames(PostgresServer postgres)
    {
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var command = database.CreateCommand(
            "SELECT coalesce(sum(stored), 0)::bigint FROM telemetry.gateway WHERE gateway <> 'gw-1'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static Task<string[]> Lines(CloudProcess cloud) => Lines(cloud.Process);

    private static Task<string[]> Lines(ServerProcess process) => File.ReadAllLinesAsync(process.OutputFile);

    private static async Task<TimeSpan> Measure(Task waiting)
    {
        var began = TimeProvider.System.GetTimestamp();
        await waiting;
        return TimeProvider.System.GetElapsedTime(began);
    }

    private static Task Stored(CloudProcess cloud, long readings) => ProcessorPair.Until(
        $"{readings} readings are stored",
        async () => (await cloud.Get("/metrics")).Text.Split('\n')
            .Where(line => line.StartsWith(
                "telemetry_processor_readings_total{outcome=\"stored\"} ", StringComparison.Ordinal))
            .Any(line => long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture) >= readings),
        TimeSpan.FromMinutes(1) + Stopped * 2);
}
