using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.Senders;

/// <summary>
/// A sender's own account of what it offered and what was acknowledged, in a file of its own (see
/// <see cref="JournalFormat"/>). Each block is one write(2): it is in the page cache before the offer is made, and
/// therefore outlives a SIGKILL of the process (not a loss of power: it judges the agent, it is not part of it).
/// One thread at a time; blocks that thread for the length of a write into memory.
/// </summary>
public sealed class SenderJournal : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly GatewayId _gateway;
    private byte[] _block = new byte[64 * 1024];
    private long _end;

    private SenderJournal(SafeFileHandle file, GatewayId gateway)
    {
        _file = file;
        _gateway = gateway;
    }

    /// <summary>The number of the last offer; 0 before the first.</summary>
    public uint Offers { get; private set; }

    /// <summary>The greatest event time ever attempted; a sender that goes on starts after it.</summary>
    public long LastTime { get; private set; } = long.MinValue;

    /// <summary>How many readings were ever attempted.</summary>
    public long Attempted { get; private set; }

    /// <summary>How many readings were ever acknowledged.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>
    /// Makes a journal, or goes on with the one that is there: what a killed sender left unfinished at its end is cut
    /// off.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is not a journal, or is another gateway's.</exception>
    public static SenderJournal Open(string path, GatewayId gateway)
    {
        var begun = File.Exists(path) && new FileInfo(path).Length >= JournalFormat.HeaderBytes;
        var state = begun ? State.Read(path, gateway) : default;
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        var journal = new SenderJournal(file, gateway);
        if (!begun)
        {
            journal.WriteHeader();
            return journal;
        }

        RandomAccess.SetLength(file, state.End);
        journal._end = state.End;
        journal.Offers = state.Offers;
        journal.LastTime = state.LastTime;
        journal.Attempted = state.Attempted;
        journal.Acknowledged = state.Acknowledged;
        return journal;
    }

    /// <summary>Notes what is about to be offered, and gives the offer's number.</summary>
    public uint Attempt(ReadingBatch batch, SeriesList series)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(batch.Count, JournalFormat.CountMax);
        var block = Block(JournalKind.Attempted, Offers + 1, batch.Count);
        var entries = MemoryMarshal.Cast<byte, JournalEntry>(
            block.Slice(JournalFormat.BlockHeadBytes, batch.Count * JournalEntry.Bytes));
        for (var row = 0; row < batch.Count; row++)
        {
            var index = batch.Series[row];
            var identity = series.Entries[index].Identity;
            entries[row] = new JournalEntry(
                identity, batch.Times[row], ReadingHash.OfRow(batch, row, identity, series.Types[index]));
            LastTime = Math.Max(LastTime, batch.Times[row]);
        }

        Write(block);
        Attempted += batch.Count;
        return ++Offers;
    }

    /// <summary>Notes that the outbox has called the offer durable.</summary>
    public void Acknowledge(uint offer, int readings)
    {
        Write(Block(JournalKind.Acknowledged, offer, 0));
        Acknowledged += readings;
    }

    /// <summary>Notes that the outbox has refused the whole offer.</summary>
    public void Refuse(uint offer) => Write(Block(JournalKind.Refused, offer, 0));

    public void Dispose() => _file.Dispose();

    private Span<byte> Block(JournalKind kind, uint offer, int count)
    {
        var length = JournalFormat.BlockHeadBytes + (count * JournalEntry.Bytes) + JournalFormat.ChecksumBytes;
        if (_block.Length < length)
        {
            _block = new byte[length];
        }

        var block = _block.AsSpan(0, length);
        block[0] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(block[1..], offer);
        BinaryPrimitives.WriteUInt32LittleEndian(block[5..], (uint)count);
        return block;
    }

    private void Write(Span<byte> block)
    {
        var body = block[..^JournalFormat.ChecksumBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(block[body.Length..], XxHash64.HashToUInt64(body));
        RandomAccess.Write(_file, block, _end);
        _end += block.Length;
    }

    private void WriteHeader()
    {
        Span<byte> header = stackalloc byte[JournalFormat.HeaderBytes];
        header.Clear();
        JournalFormat.Magic.CopyTo(header);
        Encoding.ASCII.GetBytes(_gateway.Value, header[8..]);
        RandomAccess.Write(_file, header, 0);
        _end = header.Length;
    }

    /// <summary>Where an existing journal stands.</summary>
    private readonly record struct State(long End, uint Offers, long LastTime, long Attempted, long Acknowledged)
    {
        public static State Read(string path, GatewayId gateway)
        {
            using var reader = new JournalReader(path);
            if (reader.Gateway != gateway)
            {
                throw new InvalidDataException($"{path} is the journal of gateway {reader.Gateway}, not of {gateway}.");
            }

            var state = new State(0, 0, long.MinValue, 0, 0);
            var open = new Dictionary<uint, int>();
            while (reader.TryRead(out var block))
            {
                state = state.After(block, open);
            }

            return state with { End = reader.Position };
        }

        private State After(in JournalBlock block, Dictionary<uint, int> open)
        {
            if (block.Kind != JournalKind.Attempted)
            {
                open.Remove(block.Offer, out var answered);
                answered = block.Kind == JournalKind.Acknowledged ? answered : 0;
                return this with { Acknowledged = Acknowledged + answered };
            }

            open[block.Offer] = block.Entries.Length;
            var lastTime = LastTime;
            foreach (var entry in block.Entries)
            {
                lastTime = Math.Max(lastTime, entry.Time);
            }

            return this with
            {
                Offers = block.Offer,
                LastTime = lastTime,
                Attempted = Attempted + block.Entries.Length,
            };
        }
    }
}
