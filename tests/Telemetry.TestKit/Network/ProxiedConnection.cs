using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Telemetry.TestKit.Network;

/// <summary>
/// One connection through a <see cref="FaultProxy"/>: two directions that end together or one by one.
/// </summary>
internal sealed class ProxiedConnection(FaultProxy proxy, Socket client)
{
    // With a delay, this many pieces can be on the way; then the sender has to wait, as with a full window.
    private const int PiecesOnTheWayMax = 1024;

    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _ended = new();

    /// <summary>Ends both sides with a TCP reset.</summary>
    public void Reset()
    {
        // A socket that is closed with a linger time of zero sends a reset instead of an orderly end.
        try
        {
            client.LingerState = new LingerOption(true, 0);
            _server.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Already gone, which is all that a reset is for.
            Debug.WriteLine(e.Message);
        }

        _ended.Cancel();
    }

    public async Task Run(IPEndPoint server)
    {
        try
        {
            await proxy.WhileSilent(_ended.Token);
            await _server.ConnectAsync(server, _ended.Token);
            client.NoDelay = _server.NoDelay = true;
            await Task.WhenAll(
                Forward(client, _server, proxy.LinkTo(Direction.ToServer)),
                Forward(_server, client, proxy.LinkTo(Direction.ToClient)));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // One side broke it, or the proxy did, or there is no server: the client sees a reset.
            Reset();
        }
        finally
        {
            client.Dispose();
            _server.Dispose();
        }
    }

    private async Task Forward(Socket from, Socket to, Link link)
    {
        var onTheWay = Channel.CreateBounded<Piece>(PiecesOnTheWayMax);
        try
        {
            await Task.WhenAll(Read(from, link, onTheWay.Writer), Write(to, onTheWay.Reader));
        }
        catch
        {
            Reset(); // So that the other direction ends too.
            throw;
        }
    }

    private async Task Read(Socket from, Link link, ChannelWriter<Piece> onTheWay)
    {
        var breaks = false;
        try
        {
            while (!breaks)
            {
                await proxy.WhileSilent(_ended.Token);
                var buffer = new byte[link.PieceBytes];
                var count = await from.ReceiveAsync(buffer, _ended.Token);
                await link.Carry(count, _ended.Token);
                var passed = link.Pass(count, out breaks);
                var due = Stopwatch.GetTimestamp() + proxy.Delay.Ticks * Stopwatch.Frequency / TimeSpan.TicksPerSecond;
                await onTheWay.WriteAsync(new Piece(buffer.AsMemory(0, passed), due, breaks), _ended.Token);
                if (count == 0)
                {
                    break;
                }
            }

            onTheWay.Complete();
        }
        catch (Exception e)
        {
            // Not an orderly end: the other side must not see one before the reset.
            onTheWay.Complete(e);
            throw;
        }
    }

    private async Task Write(Socket to, ChannelReader<Piece> onTheWay)
    {
        await foreach (var piece in onTheWay.ReadAllAsync(_ended.Token))
        {
            var now = Stopwatch.GetTimestamp();
            if (piece.Due > now)
            {
                await Task.Delay(Stopwatch.GetElapsedTime(now, piece.Due), _ended.Token);
            }

            await proxy.WhileSilent(_ended.Token);
            for (var left = piece.Bytes; left.Length > 0;)
            {
                left = left[await to.SendAsync(left, _ended.Token)..];
            }

            if (piece.Breaks)
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private readonly record struct Piece(ReadOnlyMemory<byte> Bytes, long Due, bool Breaks);
}
