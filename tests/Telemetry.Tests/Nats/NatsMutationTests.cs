using System.Buffers;
using System.Text;
using Telemetry.Nats;

namespace Telemetry.Tests.Nats;

/// <summary>Hostile bytes cost bounded memory and end as one kind of exception.</summary>
public sealed class NatsMutationTests
{
    private static readonly byte[][] Seeds =
    [
        .. new[]
        {
            "INFO {\"server_id\":\"A\",\"headers\":true,\"max_payload\":1048576,\"x\":[1,{\"y\":null}]}\r\nPING\r\n",
            "MSG a.b.c 17 _INBOX.abc.12 11\r\nhello world\r\nPONG\r\n+OK\r\n",
            "HMSG a 1 r 35 38\r\nNATS/1.0\r\nNats-Msg-Id: a\r\nB: c d\r\n\r\nabc\r\n-ERR 'x'\r\n",
            "HMSG in.p1 1 75 75\r\nNATS/1.0 100 Idle Heartbeat\r\n"
                + "Nats-Last-Consumer: 4\r\nNats-Last-Stream: 5\r\n\r\n\r\n",
            "MSG a 1 $JS.ACK.S.C.1.2.3.4.5 999999999\r\nx",
        }.Select(Encoding.ASCII.GetBytes),
    ];

    /// <summary>Reads as a client does: frames, copies, headers, INFO, delivery positions, acknowledgements.</summary>
    private static int Consume(ReadOnlySequence<byte> input)
    {
        var reader = new NatsFrameReader();
        var frames = 0;
        try
        {
            while (reader.TryRead(ref input, out var frame))
            {
                frames++;
                if (frame.Kind == NatsFrameKind.Info)
                {
                    NatsServerInfo.Read(frame.Text);
                }
                else if (frame.Kind is NatsFrameKind.Message or NatsFrameKind.MessageWithHeaders)
                {
                    DeliveryPosition.TryRead(frame.ReplyTo, out _);
                    var message = NatsMessage.Copy(frame, "");
                    _ = message.Headers.Count;
                    _ = PublishAckReader.Read(frame.Payload);
                }
            }
        }
        catch (NatsProtocolException)
        {
            return frames;
        }
        catch (JetStreamException)
        {
            return frames;
        }

        return frames;
    }

    [Fact]
    public void Mutated_input_allocates_little_and_only_a_protocol_exception_escapes()
    {
        var random = new Random(20260101);
        foreach (var seed in Seeds)
        {
            Consume(new(seed));
        }

        var framesRead = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = (byte[])Seeds[random.Next(Seeds.Length)].Clone();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                Mutate(random, ref bytes);
            }

            var cut = random.Next(bytes.Length + 1);
            var input = Splits.Of(bytes.AsMemory(0, cut), bytes.AsMemory(cut));
            var before = GC.GetAllocatedBytesForCurrentThread();
            framesRead += Consume(input);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            // A declared size of hundreds of megabytes must not show; exceptions cost a few kilobytes.
            Assert.True(allocated < 64 * 1024, $"Round {round} allocated {allocated} bytes");
        }

        Assert.True(framesRead > 5000, $"Only {framesRead} frames were whole: the mutations miss the readers");
    }

    private static void Mutate(Random random, ref byte[] bytes)
    {
        var at = random.Next(bytes.Length);
        switch (random.Next(5))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                bytes[at] = (byte)"0123456789 \r\n.-:"[random.Next(16)];
                break;
            case 2 when bytes.Length > 1:
                bytes = [.. bytes[..at], .. bytes[(at + 1)..]];
                break;
            case 3:
                bytes = [.. bytes[..at], (byte)random.Next('0', '9' + 1), .. bytes[at..]];
                break;
            default:
                bytes = [.. bytes[..at], .. bytes[random.Next(at + 1)..]];
                break;
        }
    }
}
