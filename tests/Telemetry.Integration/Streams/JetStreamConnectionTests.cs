using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Telemetry.Model.Identity;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Servers;
using static Telemetry.Integration.Streams.NatsClients;

namespace Telemetry.Integration.Streams;

public sealed class JetStreamConnectionTests
{
    /// <summary>Well below the time limit of an answer, which is 5 s.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(3);

    [NatsFact]
    public async Task What_is_under_way_fails_when_the_link_breaks_and_all_else_fails_until_it_is_back()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        server.Process.Signal(ProcessSignal.Stop);
        await Task.Delay(200);
        var append = connection.Publish(Bytes("1"));
        var call = connection.CallAsync("look", stop => connection.FindStreamAsync("S", stop), default).AsTask();
        await Task.Delay(100);
        Assert.False(append.IsCompleted || call.IsCompleted);

        var killed = Stopwatch.GetTimestamp();
        await server.Kill();
        await Assert.ThrowsAsync<FrameLogException>(() => append);
        await Assert.ThrowsAsync<FrameLogException>(() => call);
        await Assert.ThrowsAsync<FrameLogException>(() => connection.Publish(Bytes("2")));
        await Assert.ThrowsAsync<FrameLogException>(
            async () => await connection.CallAsync("look", stop => connection.FindStreamAsync("S", stop), default));
        Assert.InRange(Stopwatch.GetElapsedTime(killed), TimeSpan.Zero, AtOnce);
        Assert.Equal(1, connection.Counters.AppendsUnanswered);

        await server.Restart();
        await connection.WaitUntilConnectedAsync(Limit());
        Assert.Null((await connection.Publish(Bytes("3"))).Error);
        Assert.Equal(1, connection.Counters.Reconnects);
        Assert.InRange(connection.Counters.BytesSent, 1, long.MaxValue);
    }

    [NatsFact]
    public async Task Server_that_is_not_there_yet_is_tried_until_it_is()
    {
        await using var server = await NatsServer.Start();
        await server.Kill();
        await Assert.ThrowsAsync<FrameLogException>(() => Connect(server));

        var changes = new ConcurrentQueue<LinkChangeKind>();
        var connecting = JetStreamConnection.ConnectWhenReachedAsync(
            Options(server), change => changes.Enqueue(change.Kind), Limit());
        await Task.Delay(500);
        await server.Restart();
        await using var connection = await connecting;

        Assert.True(connection.IsConnected);
        Assert.Contains(LinkChangeKind.ConnectFailed, changes);
    }

    [NatsFact]
    public async Task Wrong_password_is_refused_and_the_server_is_tried_again()
    {
        await using var server = await NatsServer.Start("authorization { user: u, password: p }");
        var error = await Assert.ThrowsAsync<FrameLogException>(() => JetStreamConnection.ConnectAsync(
            Options(server) with { User = "u", Password = "wrong" }));
        Assert.Contains("uthorization", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", error.ToString(), StringComparison.Ordinal);

        await using var connection = await JetStreamConnection.ConnectAsync(
            Options(server) with { User = "u", Password = "p" });
        Assert.True(connection.IsConnected);
    }

    [NatsFact]
    public async Task Password_that_is_wrong_after_a_restart_is_the_reason_of_failed_attempts_until_it_is_put_right()
    {
        await using var server = await NatsServer.Start("authorization { user: u, password: p }");
        var changes = new ConcurrentQueue<LinkChange>();
        await using var connection = await JetStreamConnection.ConnectAsync(
            Options(server) with { User = "u", Password = "p" }, changes.Enqueue);
        var configuration = Path.Combine(Path.GetDirectoryName(server.StoreDirectory)!, "nats.conf");
        await server.Kill();
        await File.WriteAllTextAsync(configuration, "authorization { user: u, password: other }");
        await server.Restart();
        bool IsRefusal(LinkChange change) => change.Kind == LinkChangeKind.ConnectFailed
            && change.Detail.Contains("Authorization Violation", StringComparison.Ordinal);
        for (var limit = Limit(); changes.Count(IsRefusal) < 3;)
        {
            await Task.Delay(50, limit);
        }

        Assert.False(connection.IsConnected);
        Assert.DoesNotContain(changes, change => change.Kind == LinkChangeKind.Complained);

        await server.Kill();
        await File.WriteAllTextAsync(configuration, "authorization { user: u, password: p }");
        await server.Restart();
        await connection.WaitUntilConnectedAsync(Limit());
    }

    [NatsFact]
    public async Task Whoever_waits_for_a_link_fails_when_the_connection_is_disposed_and_afterwards()
    {
        await using var server = await NatsServer.Start();
        var connection = await Connect(server);
        await server.Kill();
        while (connection.IsConnected)
        {
            await Task.Delay(10, Limit());
        }

        var waiting = connection.Begin(1).AsTask();
        await Task.Delay(100);
        Assert.False(waiting.IsCompleted);
        await connection.DisposeAsync();
        await Assert.ThrowsAsync<FrameLogException>(() => waiting);
        await Assert.ThrowsAsync<FrameLogException>(() => connection.Begin(1).AsTask());
        await connection.DisposeAsync();
    }

    /// <summary>The library would end the subscription without a word, or never read from the link again.</summary>
    [NatsFact]
    public async Task Handler_that_throws_ends_the_link_and_is_called_over_the_next_one()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var control = new NatsControlChannel(connection, NatsStand.Facts);
        Exception[] faults = [new FrameLogException("a fault"), new InvalidOperationException("a fault")];
        foreach (var fault in faults)
        {
            var reconnects = connection.Counters.Reconnects;
            var heard = new TaskCompletionSource();
            var isFirst = true;
            await using var listening = await control.ListenDownAsync(
                GatewayId.Parse("g1"),
                _ =>
                {
                    if (isFirst)
                    {
                        isFirst = false;
                        throw fault;
                    }

                    heard.TrySetResult();
                },
                default);
            await control.SendDownAsync(GatewayId.Parse("g1"), Bytes("a"), default);
            while (connection.Counters.Reconnects == reconnects)
            {
                await Task.Delay(10, Limit());
            }

            await connection.WaitUntilConnectedAsync(Limit());
            await control.SendDownAsync(GatewayId.Parse("g1"), Bytes("b"), default);
            await heard.Task.WaitAsync(Limit());
        }
    }

    /// <summary>An ingress has a subscription a session.</summary>
    [NatsFact]
    public async Task Ten_thousand_listeners_hear_again_after_a_reconnect()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        var control = new NatsControlChannel(connection, NatsStand.Facts);
        var heard = new ConcurrentDictionary<int, int>();
        var listeners = await Task.WhenAll(Enumerable.Range(0, 10_000).Select(i => control.ListenDownAsync(
            GatewayId.Parse($"g{i}"), _ => heard.AddOrUpdate(i, 1, (_, times) => times + 1), default).AsTask()));
        await server.Restart();
        for (var limit = Limit(); connection.Counters.Reconnects == 0;)
        {
            await Task.Delay(10, limit);
        }

        await connection.WaitUntilConnectedAsync(Limit());
        for (var i = 0; i < listeners.Length; i++)
        {
            await control.SendDownAsync(GatewayId.Parse($"g{i}"), Bytes("x"), default);
        }

        for (var limit = Limit(); heard.Count < listeners.Length;)
        {
            await Task.Delay(10, limit);
        }

        Assert.All(heard.Values, times => Assert.Equal(1, times));
        foreach (var listener in listeners)
        {
            await listener.DisposeAsync();
        }
    }

    [NatsFact]
    public async Task Server_is_refused_that_is_not_trusted_or_speaks_no_TLS_where_the_address_says_tls()
    {
        await using var folder = new TemporaryFolder();
        var (certificate, key) = (folder.At("cert.pem"), folder.At("key.pem"));
        Make(certificate, key);
        await using var untrusted = await NatsServer.Start(
            $"tls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}");
        await Assert.ThrowsAsync<FrameLogException>(() => Connect(untrusted));

        await using var plain = await NatsServer.Start();
        await Assert.ThrowsAsync<FrameLogException>(() => JetStreamConnection.ConnectAsync(
            new NatsOptions { Servers = [$"tls://127.0.0.1:{plain.Port}"] }));
    }

    private static void Make(string certificate, string key)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=nats", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(certificate, made.ExportCertificatePem());
        File.WriteAllText(key, pair.ExportPkcs8PrivateKeyPem());
    }
}
