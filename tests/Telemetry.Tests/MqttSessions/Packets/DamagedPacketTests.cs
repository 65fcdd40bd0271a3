using System.Buffers;
using Telemetry.MqttSessions;
using Telemetry.MqttSessions.Packets;
using Telemetry.MqttSessions.Sessions;
using Telemetry.TestKit.Bytes;
using Telemetry.TestKit.Mqtt;
using Telemetry.Tests.MqttSessions.Sessions;

namespace Telemetry.Tests.MqttSessions.Packets;

/// <summary>Seeded damage to sound packets: only protocol exceptions escape, and memory stays in proportion.</summary>
public sealed class DamagedPacketTests
{
    private const int Seed = 20_260;
    private const int Mutations = 40_000;
    private const int PacketBytesMax = 4096;

    /// <summary>Exception and its stack trace included, and what the codec keeps from its first packet on.</summary>
    private const long AllocatedBytesFixed = 24 * 1024;
    private const long AllocatedBytesPerByte = 64;

    [Fact]
    public void Damaged_packet_costs_no_memory_and_only_a_protocol_exception()
    {
        var (random, mutator) = Begin();
        byte[][] samples = [.. ClientPackets.All.Values];
        int refused = 0, read = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] bytes = mutator.Mutate(samples[random.Next(samples.Length)]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var sequence = new ReadOnlySequence<byte>(bytes);
                while (PacketScanner.TryRead(ref sequence, PacketBytesMax, out var raw))
                {
                    PacketGrammarTests.Read(raw);
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
        var (random, mutator) = Begin();
        byte[][] samples = [.. ClientPackets.All.Values];
        int failed = 0;
        for (int i = 0; i < Mutations / 4; i++)
        {
            var session = Connected();
            byte[] bytes = mutator.Mutate(samples[random.Next(samples.Length)]);
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

    private static (Random, Mutator) Begin()
    {
        var random = new Random(Seed);
        // The codec of this thread is there before anything is measured.
        Connected();
        return (random, new Mutator(random));
    }

    private static void AssertBounded(long before, int inputBytes, int mutation)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= AllocatedBytesFixed + (AllocatedBytesPerByte * inputBytes),
            $"mutation {mutation} of seed {Seed}: {allocated} bytes for an input of {inputBytes}");
    }

    private static ServerSession Connected()
    {
        var limits = new MqttSessionLimits { PacketBytesMax = PacketBytesMax };
        var session = new ServerSession(limits, new OwnTopicsOnly(), TimeSpan.Zero);
        new SessionProbe(session).Receive(MqttBytes.Connect("a"));
        session.Accept(null, TimeSpan.Zero);
        return session;
    }
}
