using System.Buffers;
using System.IO.Pipelines;
using MQTTnet.Packets;
using Telemetry.MqttSessions.Transport;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Tests.MqttSessions.Sessions;

/// <summary>
/// A link in memory, one pipe in each direction, and the client at its other end, which says packets or bytes. As on a
/// socket, a flush of the session completes when the client has taken the bytes.
/// </summary>
internal sealed class PipeLink : ISessionLink
{
    private const int PieceBytes = 7;

    private readonly Pipe _up = NewPipe(64 * 1024);
    private readonly Pipe _down = NewPipe(1);

    public PipeLink() => Pipe = new Ends(_up.Reader, _down.Writer);

    public IDuplexPipe Pipe { get; }

    /// <summary>True once the session has cut it.</summary>
    public bool IsCut { get; private set; }

    public ValueTask EndSendingAsync() => _down.Writer.CompleteAsync();

    public void Cut()
    {
        IsCut = true;
        _down.Writer.CancelPendingFlush();
        _down.Writer.Complete();
    }

    /// <summary>Sends bytes piecemeal, so that packets arrive torn.</summary>
    public async Task SendAsync(params byte[] bytes)
    {
        for (var at = 0; at < bytes.Length; at += PieceBytes)
        {
            await _up.Writer.WriteAsync(bytes.AsMemory(at, Math.Min(PieceBytes, bytes.Length - at)));
        }
    }

    public Task SendAsync(MqttPacket packet) => SendAsync(MqttBytes.Of(packet));

    /// <summary>The client hangs up, without a word.</summary>
    public ValueTask HangUpAsync() => _up.Writer.CompleteAsync();

    /// <summary>The next packet of the session; null when it says no more.</summary>
    public async Task<MqttPacket?> NextAsync()
    {
        while (true)
        {
            var read = await _down.Reader.ReadAsync();
            ReadOnlySpan<byte> bytes = read.Buffer.ToArray();
            if (MqttBytes.TryTake(ref bytes) is { } packet)
            {
                _down.Reader.AdvanceTo(read.Buffer.GetPosition(read.Buffer.Length - bytes.Length));
                return packet;
            }

            _down.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
            {
                Assert.True(bytes.IsEmpty);
                return null;
            }
        }
    }

    /// <summary>The next packet, which has to be of this type.</summary>
    public async Task<T> NextAsync<T>() where T : MqttPacket => Assert.IsType<T>(await NextAsync());

    // In its own thread and order: whoever waits goes on where it was.
    private static Pipe NewPipe(int pauseAt) => new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: pauseAt, resumeWriterThreshold: Math.Max(1, pauseAt / 2)));

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
