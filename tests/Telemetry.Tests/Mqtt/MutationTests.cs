using System.Buffers;
using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;

namespace Telemetry.Tests.Mqtt;

/// <summary>Seeded damage to valid packets: only protocol exceptions escape, and memory stays in proportion.</summary>
public sealed class MutationTests
{
    private const int Seed = 20_260;
    private const int Mutations = 40_000;
    private const int PacketBytesMax = 4096;

    /// <summary>Exception and its stack trace included.</summary>
    private const long AllocatedBytesFixed = 24 * 1024;
    private const long AllocatedBytesPerByte = 64;

    [Fact]
    public void Damaged_packet_costs_no_memory_and_only_a_protocol_exception()
    {
        var random = new Random(Seed);
        byte[][] samples = [.. PacketSamples.All.Values];
        int refused = 0, read = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] bytes = Damage(samples[random.Next(samples.Length)], random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var sequence = new ReadOnlySequence<byte>(bytes);
                while (PacketScanner.TryRead(ref sequence, PacketBytesMax, out var raw))
                {
                    Read(raw);
                    read++;
                }
            }
            catch (MqttProtocolException e)
            {
                Assert.True(e.ReasonCode >= MqttReasonCode.UnspecifiedError);
                refused++;
            }
            AssertBounded(before, bytes.Length, i);
        }
        // Both outcomes have to be common, or the damage proves nothing.
        Assert.InRange(refused, Mutations / 10, Mutations);
        Assert.InRange(read, Mutations / 10, 10 * Mutations);
    }

    [Fact]
    public void Session_takes_damaged_packets_without_harm()
    {
        var random = new Random(Seed);
        byte[][] samples = [.. PacketSamples.All.Values];
        int failed = 0;
        for (int i = 0; i < Mutations / 4; i++)
        {
            MqttSession session = ConnectedClient();
            byte[] bytes = Damage(samples[random.Next(samples.Length)], random);
            var output = new ArrayBufferWriter<byte>(1024);
            long before = GC.GetAllocatedBytesForCurrentThread();
            var sequence = new ReadOnlySequence<byte>(bytes);
            session.Receive(ref sequence, TimeSpan.Zero);
            session.TakeOutput(output, 1000, TimeSpan.Zero);
            AssertBounded(before, bytes.Length, i);
            if (session.Closed?.Kind == MqttCloseKind.ProtocolError) failed++;
        }
        Assert.InRange(failed, Mutations / 40, Mutations / 4);
    }

    private static void AssertBounded(long before, int inputBytes, int mutation)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= AllocatedBytesFixed + (AllocatedBytesPerByte * inputBytes),
            $"mutation {mutation} of seed {Seed}: {allocated} bytes for an input of {inputBytes}");
    }

    private static void Read(RawPacket raw)
    {
        byte[] body = raw.Body.ToArray();
        var reader = new BodyReader(body);
        switch (raw.Type)
        {
            case PacketType.Connect:
                if (ConnectPacket.ReadLevel(ref reader) == ConnectPacket.Level5) ConnectPacket.ReadRest(ref reader);
                break;
            case PacketType.ConnAck: ConnAckPacket.Read(ref reader); break;
            case PacketType.Publish: PublishPacket.Read(raw.Flags, body); break;
            case PacketType.Subscribe: SubscribePacket.Read(ref reader); break;
            case PacketType.Unsubscribe: UnsubscribePacket.Read(ref reader); break;
            case PacketType.SubAck or PacketType.UnsubAck: SubscribeAckPacket.Read(raw.Type, ref reader); break;
            case PacketType.PingReq or PacketType.PingResp: PingPacket.Read(raw.Type, ref reader); break;
            case PacketType.Disconnect or PacketType.Auth: DisconnectPacket.Read(raw.Type, ref reader); break;
            default: PublishAckPacket.Read(raw.Type, ref reader); break;
        }
    }

    private static byte[] Damage(byte[] sample, Random random)
    {
        var bytes = sample.ToList();
        int times = random.Next(1, 4);
        for (int i = 0; i < times && bytes.Count > 0; i++)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = 0xFF; break;
                case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                case 4: bytes.RemoveRange(at, random.Next(bytes.Count - at)); break;
                default: bytes.InsertRange(at, bytes.GetRange(at, random.Next(bytes.Count - at))); break;
            }
        }
        return [.. bytes];
    }

    private static ClientSession ConnectedClient()
    {
        var session = new ClientSession(new MqttClientOptions
        {
            Host = "h",
            ClientId = "a",
            Limits = new MqttSessionLimits { PacketBytesMax = PacketBytesMax },
        });
        session.Start(TimeSpan.Zero);
        new SessionProbe(session).Receive(new ConnAckPacket(MqttReasonCode.Success, false, PropertyList.Empty).Write);
        return session;
    }
}
