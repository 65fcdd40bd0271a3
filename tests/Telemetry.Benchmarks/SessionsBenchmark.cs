using System.Net;
using System.Net.Sockets;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Benchmarks;

/// <summary>
/// What does an MQTT session cost while its gateway is silent, and what does a stranger get that claims packets of
/// 268 MB? Sessions and clients are in this process, so a client's socket counts as a part of its session.
/// </summary>
internal static class SessionsBenchmark
{
    private const int Sessions = 5000, Claims = 20, PublishBytes = 400;

    public static async Task RunAsync(RunLength run)
    {
        var options = new MqttListenerOptions { Port = 0 };
        await using var listener = new MqttListener(options, new Taking(), TimeProvider.System);
        await listener.StartAsync(default);
        var sockets = new List<Socket>();
        await OpenAsync(listener.Port, "warm", sockets);
        var (heap, resident) = await SettledAsync();
        var sessions = run.IsShort ? Sessions / 10 : Sessions;
        for (var i = 0; i < sessions; i++)
        {
            await OpenAsync(listener.Port, $"gw-{i}", sockets);
        }

        var (heapAfter, residentAfter) = await SettledAsync();
        Figure.Print("sessions-idle-heap", (heapAfter - heap) / 1024.0 / sessions, "KiB/session");
        Figure.Print("sessions-idle-resident", (residentAfter - resident) / 1024.0 / sessions, "KiB/session");
        await ClaimAsync(listener.Port, sockets);
        sockets.ForEach(socket => socket.Dispose());
    }

    /// <summary>Each claims the largest packet that there is in place of a CONNECT, and goes on sending it.</summary>
    private static async Task ClaimAsync(int port, List<Socket> sockets)
    {
        var (_, resident) = await SettledAsync();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var body = new byte[64 * 1024];
        for (var i = 0; i < Claims; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            sockets.Add(socket);
            await socket.ConnectAsync(IPAddress.Loopback, port);
            await socket.SendAsync(new byte[] { 0x10, 0xFF, 0xFF, 0xFF, 0x7F });
            await socket.SendAsync(body);
        }

        await Task.Delay(TimeSpan.FromSeconds(2));
        Figure.Print("sessions-claims-allocated", (GC.GetTotalAllocatedBytes(precise: true) - allocated) / 1e6, "MB");
        Figure.Print("sessions-claims-resident", (Environment.WorkingSet - resident) / 1e6, "MB");
    }

    /// <summary>A session that has connected, subscribed and published once, as an agent does.</summary>
    private static async Task OpenAsync(int port, string clientId, List<Socket> sockets)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        sockets.Add(socket);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        Ask(socket, MqttBytes.Of(MqttBytes.Connect(clientId)), 0x20);
        Ask(socket, MqttBytes.Packet(0x82, [0, 1, 0, .. MqttBytes.Text($"tm/1/{clientId}/down"), 0]), 0x90);
        Ask(
            socket,
            MqttBytes.Packet(0x32, [.. MqttBytes.Text($"tm/1/{clientId}/live"), 0, 1, 0, .. new byte[PublishBytes]]),
            0x40);
    }

    private static void Ask(Socket socket, byte[] packet, byte answer)
    {
        Span<byte> received = stackalloc byte[256];
        socket.Send(packet);
        if (socket.Receive(received) < 4 || received[0] != answer)
        {
            throw new InvalidOperationException($"0x{received[0]:x2} came, not 0x{answer:x2}");
        }
    }

    private static async Task<(long Heap, long Resident)> SettledAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(2));
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return (GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);
    }

    /// <summary>Lets everybody in and takes everything.</summary>
    private sealed class Taking : IMqttApplication
    {
        public ValueTask<AuthenticateResult> AuthenticateAsync(ConnectRequest request, CancellationToken ct) =>
            new(AuthenticateResult.Accepted);

        public ValueTask ConnectedAsync(IMqttServerSession session, CancellationToken ct) => default;

        public void Disconnected(IMqttServerSession session, MqttCloseReason reason)
        {
        }

        public MqttReasonCode AuthorizePublish(IMqttServerSession session, string topic, MqttQos qos) => default;

        public MqttReasonCode AuthorizeSubscribe(IMqttServerSession session, string filter, MqttQos qos) => default;

        public ValueTask<PublishVerdict> PublishedAsync(
            IMqttServerSession session, MqttMessage message, CancellationToken ct) => new(PublishVerdict.Accepted);
    }
}
