using System.Net;
using System.Net.Sockets;
using System.Text;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.TestKit.Servers;

public sealed class NatsServerTests
{
    [NatsFact]
    public async Task Stream_survives_a_kill_and_not_a_wipe()
    {
        await using var server = await NatsServer.Start();
        var created = await Ask(server, "$JS.API.STREAM.CREATE.S", """{"name":"S","subjects":["s"]}""");
        Assert.Contains("\"created\"", created, StringComparison.Ordinal);
        var port = server.Port;

        await server.Kill();
        await server.Restart();

        Assert.Equal(port, server.Port);
        Assert.Contains("\"created\"", await Ask(server, "$JS.API.STREAM.INFO.S", ""), StringComparison.Ordinal);

        await server.Wipe();

        Assert.Contains("\"code\":404", await Ask(server, "$JS.API.STREAM.INFO.S", ""), StringComparison.Ordinal);
    }

    [NatsFact]
    public async Task Configuration_text_is_obeyed()
    {
        await using var server = await NatsServer.Start("max_payload: 4321");

        Assert.Contains("\"max_payload\":4321", await Ask(server, "nobody", ""), StringComparison.Ordinal);
    }

    [NatsFact]
    public async Task Nothing_is_left_behind()
    {
        var server = await NatsServer.Start();
        var id = server.Process.Id;

        await server.DisposeAsync();

        Assert.False(Directory.Exists($"/proc/{id}"));
        Assert.False(Directory.Exists(Path.GetDirectoryName(server.StoreDirectory)));
    }

    /// <summary>One request by hand; everything that the server said until its reply or "no responders".</summary>
    private static async Task<string> Ask(NatsServer server, string subject, string body)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            """CONNECT {"verbose":false,"headers":true,"no_responders":true}""" + "\r\nSUB answer 1\r\n"
            + $"PUB {subject} answer {body.Length}\r\n{body}\r\n"));
        using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var said = new StringBuilder();
        var buffer = new byte[4096];
        while (!said.ToString().Contains("MSG answer", StringComparison.Ordinal) || !Complete(said.ToString()))
        {
            var count = await socket.ReceiveAsync(buffer, cancellation.Token);
            Assert.NotEqual(0, count);
            said.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return said.ToString();
    }

    // "(H)MSG subject sid [header size] total size" CR LF, then so many bytes.
    private static bool Complete(string said)
    {
        var message = said[said.IndexOf("MSG answer", StringComparison.Ordinal)..];
        var lineEnd = message.IndexOf('\n', StringComparison.Ordinal);
        return lineEnd > 0 && message.Length >= lineEnd + 1 + int.Parse(message[..lineEnd].Split(' ')[^1].Trim(),
            System.Globalization.CultureInfo.InvariantCulture);
    }
}
