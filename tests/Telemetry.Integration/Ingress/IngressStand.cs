using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Ingress;
using Telemetry.Ingress.Access;
using Telemetry.Ingress.Sessions;
using Telemetry.Integration.Streams;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Integration.Ingress;

/// <summary>A nats-server, the ingress in front of it, and clients.</summary>
internal sealed class IngressStand : IAsyncDisposable
{
    /// <summary>All of the test's gateways fall into partition 0.</summary>
    public const int Partition = 0;

    private IngressStand(NatsStand nats, IngressOptions options, GatewayPasswords passwords)
    {
        Nats = nats;
        var core = new IngressCore(nats.Log, nats.ControlChannel, options, TimeProvider.System, Counters);
        Ingress = new MqttIngress(
            new MqttListenerOptions { Port = 0, Limits = new MqttSessionLimits { PacketBytesMax = 320 * 1024 } },
            core,
            new GatewayGate(new PasswordHandler(
                () => passwords, new PasswordOptions(), Counters, TimeProvider.System, NullLogger.Instance)),
            Counters,
            TimeSpan.FromSeconds(2),
            TimeProvider.System,
            NullLogger.Instance);
    }

    public NatsStand Nats { get; }

    public IngressCounters Counters { get; } = new();

    public MqttIngress Ingress { get; }

    public static async Task<IngressStand> Start(
        IngressOptions? options = null, FrameLogStandOptions? log = null, GatewayPasswords? passwords = null)
    {
        var nats = await NatsStand.Start(log);
        var stand = new IngressStand(
            nats,
            options ?? new IngressOptions { Partitions = 1 },
            passwords ?? GatewayPasswords.Read(["gw-1:one", "gw-2:two"], plain: true));
        await nats.Log.EnsureStreamsAsync(Partition, default);
        await stand.Ingress.StartAsync(default);
        return stand;
    }

    public async Task<Device> Connect(string gateway = "gw-1", string? password = null, string? clientId = null)
    {
        var device = new Device(
            Ingress.Port, clientId ?? gateway, gateway, password ?? (gateway == "gw-1" ? "one" : "two"));
        await device.ConnectAsync();
        return device;
    }

    public async ValueTask DisposeAsync()
    {
        await Ingress.DisposeAsync();
        await Nats.DisposeAsync();
    }
}

/// <summary>An MQTT client as an agent would be one.</summary>
internal sealed class Device : IAsyncDisposable
{
    public Device(int port, string clientId, string user, string password) => Client = new TestMqttClient(
        new TestMqttOptions { Port = port, ClientId = clientId, UserName = user, Password = password },
        (_, payload) => Received.Add(payload));

    public TestMqttClient Client { get; }

    public BlockingCollection<byte[]> Received { get; } = [];

    public TestMqttAnswer? Connected { get; private set; }

    public async Task ConnectAsync() => Connected = await Client.ConnectAsync();

    public Task<TestMqttAnswer> Publish(string topic, byte[] payload) => Client.PublishAsync(topic, payload);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Received.Dispose();
    }
}
