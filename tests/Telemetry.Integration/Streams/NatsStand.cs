using Telemetry.Model;
using Telemetry.Streams;
using Telemetry.Streams.Installations;
using Telemetry.Streams.JetStream;
using Telemetry.Testing.Contracts;
using Telemetry.Testing.Servers;

namespace Telemetry.Integration.Streams;

/// <summary>The log and the bus on a nats-server of the test's own.</summary>
internal sealed class NatsStand : LogStand
{
    public const int Partition = 3;

    /// <summary>By which <see cref="Log"/> and <see cref="Bus"/> are used.</summary>
    public static readonly InstallationFacts Facts = SampleInstallation.Of(16);

    private readonly JetStreamConnection _connection;
    private readonly NatsLog _log;

    private NatsStand(NatsServer server, JetStreamConnection connection, NatsLogOptions options)
    {
        Server = server;
        _connection = connection;
        _log = new NatsLog(connection, options, Facts);
        Bus = new NatsBus(connection, Facts);
    }

    public NatsServer Server { get; }

    public JetStreamConnection Connection => _connection;

    public override ILog Log => _log;

    public IBus Bus { get; }

    public override TimeProvider Time => TimeProvider.System;

    public static async Task<NatsStand> Start(LogStandOptions? options = null, bool makeStreams = true)
    {
        options ??= LogStandOptions.Ordinary;
        var server = await NatsServer.Start();
        try
        {
            var connection = await JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [server.Url] });
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

    public Task<JetStreamConnection> AnotherConnection() =>
        JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [Server.Url] });

    public override async Task WipeAsync(int partition)
    {
        Assert.True(await _connection.Context.DeleteStreamAsync(Routes.StreamName(partition, StreamKind.Live)));
        Assert.True(await _connection.Context.DeleteStreamAsync(Routes.StreamName(partition, StreamKind.Backlog)));
    }

    public override ILog As(InstallationFacts facts) => _log.As(facts);

    public override async Task ForgetInstallationAsync() =>
        Assert.True(await _connection.Context.DeleteStreamAsync(LogMarker.Stream));

    public override Task BreakLinkAsync() => Server.Restart();

    public override async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await Server.DisposeAsync();
    }
}
