namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Arrays that writing and reading columns need temporarily. There is one set for each thread, which is kept, so that
/// nothing is allocated after a warm-up. They grow to the largest frame seen: up to 1 MB with 8,192 readings and full
/// texts.
/// </summary>
internal sealed class ColumnScratch
{
    [ThreadStatic]
    private static ColumnScratch? _ofThread;

    private byte[] _padded = [];
    private int[] _slots = [];

    /// <summary>This thread's set.</summary>
    public static ColumnScratch OfThread => _ofThread ??= new ColumnScratch();

    public BitWriter Writer { get; } = new();

    // The rows of a frame in order, gathered before they are written.
    public Growing<long> Times { get; } = new();

    public Growing<ulong> Bits { get; } = new();

    public Growing<Readings.ReadingFlags> Flags { get; } = new();

    // A column of lengths or times.
    public Growing<long> Integers { get; } = new();

    // A plain column, and the plain column inside of a dictionary or of runs.
    public PlainParts Plain { get; } = new();

    public PlainParts InnerPlain { get; } = new();

    public Growing<ulong> Residuals { get; } = new();

    // For sorting the distinct values of a dictionary.
    public Growing<long> Keys { get; } = new();

    public Growing<ulong> EntriesAsTheyCame { get; } = new();

    public Growing<int> EntryRanks { get; } = new();

    // A dictionary or runs: the distinct or run values, and the values' ranks or the runs' lengths.
    public Growing<ulong> Entries { get; } = new();

    public Growing<long> Ranks { get; } = new();

    // A frame's distinct texts, one after the other; and the deflated bytes, or the bytes to inflate.
    public Growing<byte> Text { get; } = new();

    public MemoryStream Deflated { get; } = new();

    /// <summary>A hash table's slots, cleared: a power of two, at least <paramref name="least"/>.</summary>
    public Span<int> Slots(int least)
    {
        var size = 16;
        while (size < least)
        {
            size *= 2;
        }

        if (_slots.Length < size)
        {
            _slots = new int[size];
        }

        var slots = _slots.AsSpan(0, size);
        slots.Clear();
        return slots;
    }

    /// <summary>The bytes, followed by the zeros that <see cref="BitReader"/> needs.</summary>
    public ReadOnlySpan<byte> Padded(ReadOnlySpan<byte> bytes)
    {
        if (_padded.Length < bytes.Length + BitReader.PaddingBytes)
        {
            _padded = new byte[Math.Max(4096, (bytes.Length * 2) + BitReader.PaddingBytes)];
        }

        bytes.CopyTo(_padded);
        _padded.AsSpan(bytes.Length, BitReader.PaddingBytes).Clear();
        return _padded;
    }

    /// <summary>
    /// The plan of a plain column: its integers, and the places of the values that these do not reproduce.
    /// </summary>
    internal sealed class PlainParts
    {
        public Growing<long> Integers { get; private set; } = new();

        /// <summary>The integers of another plan, which may prove better.</summary>
        public Growing<long> OtherIntegers { get; private set; } = new();

        public Growing<int> Exceptions { get; } = new();

        /// <summary>Takes the integers of the other plan, which proved better.</summary>
        public void TakeOthers() => (Integers, OtherIntegers) = (OtherIntegers, Integers);
    }

    /// <summary>An array that grows and never shrinks.</summary>
    internal sealed class Growing<T>
    {
        private T[] _items = [];

        /// <summary>The first <paramref name="count"/> elements, with their old content.</summary>
        public Span<T> Of(int count)
        {
            if (_items.Length < count)
            {
                Array.Resize(ref _items, Math.Max(count, Math.Max(256, _items.Length * 2)));
            }

            return _items.AsSpan(0, count);
        }
    }
}
