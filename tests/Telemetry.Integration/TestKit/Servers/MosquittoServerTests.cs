using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.TestKit.Servers;

public sealed class MosquittoServerTests
{
    // MQTT 3.1.1, 3.2.2.3: return codes of CONNACK.
    private const byte Accepted = 0;
    private const byte NotAuthorised = 5;

    [MosquittoFact]
    public async Task Anybody_may_connect_by_default()
    {
        await using var server = await MosquittoServer.Start();

        Assert.Equal(Accepted, await Connect(server));
    }

    [MosquittoFact]
    public async Task Only_named_users_may_connect_when_there_are_any_also_after_a_restart()
    {
        await using var server = await MosquittoServer.Start(new MosquittoOptions
        {
            Users = new Dictionary<string, string> { ["gateway-1"] = "secret" },
        });

        Assert.Equal(NotAuthorised, await Connect(server));
        Assert.Equal(Accepted, await Connect(server, "gateway-1", "secret"));

        await server.Kill();
        await server.Restart();

        Assert.Equal(NotAuthorised, await Connect(server, "gateway-1", "wrong"));
        Assert.Equal(Accepted, await Connect(server, "gateway-1", "secret"));
    }

    /// <summary>Connects by hand (MQTT 3.1.1) and gives the return code of the CONNACK.</summary>
    private static async Task<byte> Connect(MosquittoServer server, string? user = null, string? password = null)
    {
        using var socket = new System.Net.Sockets.Socket(
            System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await socket.ConnectAsync(System.Net.IPAddress.Loopback, server.Port);
        var flags = (byte)(user is null ? 0x02 : 0xC2);
        byte[] body = [0, 4, .. "MQTT"u8, 4, flags, 0, 60, .. Text("client"), .. Text(user), .. Text(password)];
        await socket.SendAsync((byte[])[0x10, (byte)body.Length, .. body]);
        var answer = new byte[4];
        using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await new System.Net.Sockets.NetworkStream(socket).ReadExactlyAsync(answer, cancellation.Token);
        Assert.Equal(0x20, answer[0]);
        return answer[3];
    }

    private static byte[] Text(string? text) =>
        text is null ? [] : [0, (byte)text.Length, .. System.Text.Encoding.ASCII.GetBytes(text)];
}
