using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Streams;

/// <summary>The frame log and the control channel on a nats-server of the test's own.</summary>
internal sealed class NatsStand : FrameLogStand
{
    public const int Partition = 3;

    /// <summary>By which <see cref="Log"/> and <see cref="ControlChannel"/> are used.</summary>
    public static readonly InstallationFacts Facts = SampleInstallation.Of(16);

    private readonly JetStreamConnection _connection;
    private readonly JetStreamFrameLog _log;

    private NatsStand(NatsServer server, JetStreamConnection connection, JetStreamFrameLogOptions options)
    {
        Server = server;
        _connection = connection;
        _log = new JetStreamFrameLog(connection, options, Facts);
        ControlChannel = new NatsControlChannel(connection, Facts);
    }

    public NatsServer Server { get; }

    public JetStreamConnection Connection => _connection;

    public override IFrameLog Log => _log;

    public IControlChannel ControlChannel { get; }

    public override TimeProvider Time => TimeProvider.System;

    public static async Task<NatsStand> Start(FrameLogStandOptions? options = null, bool makeStreams = true)
    {
        options ??= FrameLogStandOptions.Ordinary;
        var server = await NatsServer.Start();
        try
        {
            var connection = await JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [server.Url] });
            var stand = new NatsStand(
                server,
                connection,
                new JetStreamFrameLogOptions
                {
                    LiveBytesMax = options.LiveBytesMax,
                    DuplicateWindow = options.DuplicateWindow,
                });
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
        Assert.True(await _connection.Context.DeleteStreamAsync(StreamNames.Stream(partition, StreamKind.Live)));
        Assert.True(await _connection.Context.DeleteStreamAsync(StreamNames.Stream(partition, StreamKind.Backlog)));
    }

    public override IFrameLog As(InstallationFacts facts) => _log.As(facts);

    public override async Task ForgetInstallationAsync() =>
        Assert.True(await _connection.Context.DeleteStreamAsync(StreamMarker.Stream));

    public override Task BreakLinkAsync() => Server.Restart();

    public override async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await Server.DisposeAsync();
    }
}
