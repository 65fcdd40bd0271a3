using Telemetry.Cloud.Installations;
using Telemetry.Cloud.Log;
using Telemetry.Model;
using Telemetry.Nats;
using Telemetry.Testing.Contracts;
using Telemetry.Testing.Servers;

namespace Telemetry.Integration.Log;

/// <summary>The log and the bus on a nats-server of the test's own.</summary>
internal sealed class NatsStand : LogStand
{
    public const int Partition = 3;

    /// <summary>By which <see cref="Log"/> and <see cref="Bus"/> are used.</summary>
    public static readonly InstallationFacts Facts = SampleInstallation.Of(16);

    private readonly NatsConnection _connection;
    private readonly NatsLog _log;

    private NatsStand(NatsServer server, NatsConnection connection, NatsLogOptions options)
    {
        Server = server;
        _connection = connection;
        JetStream = new JetStreamContext(connection);
        _log = new NatsLog(JetStream, options, Facts);
        Bus = new NatsBus(connection, Facts);
    }

    public NatsServer Server { get; }

    public JetStreamContext JetStream { get; }

    public override ILog Log => _log;

    public IBus Bus { get; }

    public override TimeProvider Time => TimeProvider.System;

    public static async Task<NatsStand> Start(LogStandOptions? options = null, bool makeStreams = true)
    {
        options ??= LogStandOptions.Ordinary;
        var server = await NatsServer.Start();
        try
        {
            var connection = await NatsConnection.ConnectAsync(new NatsOptions { Servers = [server.Url] });
            var stand = new NatsStand(
                server,
                connection,
                new NatsLogOptions { LiveBytesMax = options.LiveBytesMax, DuplicateWindow = options.DuplicateWindow });
            if (makeStreams)
            {
                await stand.Log.EnsureStreamsAsync(Partition, default);
            }

            return stand;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public Task<NatsConnection> AnotherConnection() =>
        NatsConnection.ConnectAsync(new NatsOptions { Servers = [Server.Url] }).AsTask();

    public override async Task WipeAsync(int partition)
    {
        Assert.True(await JetStream.DeleteStreamAsync(Routes.StreamName(partition, StreamKind.Live)));
        Assert.True(await JetStream.DeleteStreamAsync(Routes.StreamName(partition, StreamKind.Backlog)));
    }

    public override ILog As(InstallationFacts facts) => _log.As(facts);

    public override async Task ForgetInstallationAsync() =>
        Assert.True(await JetStream.DeleteStreamAsync(LogMarker.Stream));

    public override Task BreakLinkAsync() => Server.Restart();

    public override async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await Server.DisposeAsync();
    }
}
