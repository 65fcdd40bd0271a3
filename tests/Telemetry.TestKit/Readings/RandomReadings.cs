using System.Text;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// Readings of the kinds that gateways make and of the kinds that they should not: by a seed, sorted. Most are few
/// enough for a frame of any version; about one in 200 is full or nearly, of values that compact columns make small
/// enough.
/// </summary>
internal sealed class RandomReadings(Random random)
{
    private const int ReadingsMax = 600, SharingReadingsMax = 2400, TextBytesMax = 24 * 1024;
    private const int SharingCountMin = 17, SharingCountMax = 300, ColumnsMax = 20;

    private static readonly string[] Words =
        ["", "on", "off", "error 17", "größer", "a somewhat longer text of a log line"];

    private readonly RandomTimes _times = new(random);
    private readonly RandomValues _values = new(random);

    public MetricType[] Types { get; private set; } = [];

    public ReadingBatch Batch { get; } = new();

    public int[] Order { get; private set; } = [];

    /// <summary>Makes other readings.</summary>
    public void Next()
    {
        Batch.Clear();
        switch (random.Next(200))
        {
            case 0:
                AddFull();
                break;
            case < 25:
                AddSharing(random.Next(1, SharingReadingsMax), SharingCountMin, SharingCountMax, isCalm: false);
                break;
            case < 70:
                AddMixed(random.Next(1, 120), isSingle: true);
                break;
            case < 100:
                AddMixed(random.Next(1, 120), isSingle: false);
                break;
            default:
                AddMixed(random.Next(1, 8), isSingle: false);
                break;
        }

        Order = new int[Batch.Count];
        Batch.Order(Order);
    }

    /// <summary>
    /// So many readings as a frame may have, or nearly: of single readings, of middling groups or of long ones.
    /// </summary>
    private void AddFull()
    {
        var readings = FrameHeader.CountMax - (random.Next(2) == 0 ? 0 : random.Next(200));
        var (countMin, countMax) = random.Next(4) switch
        {
            0 => (1, 1),
            1 => (readings / 8, readings),
            _ => (SharingCountMin, SharingCountMax),
        };
        AddSharing(readings, countMin, countMax, isCalm: true);
    }

    /// <summary>
    /// Groups that take their times from some columns, in any order, also from those that are long past.
    /// </summary>
    private void AddSharing(int readings, int countMin, int countMax, bool isCalm)
    {
        var columns = new long[random.Next(1, ColumnsMax + 1)][];
        var count = random.Next(countMin, countMax + 1);
        var isOneCount = random.Next(2) == 0;
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = _times.Next(isOneCount ? count : random.Next(countMin, countMax + 1), isCalm);
        }

        MakeTypes(2 * ((readings / countMin) + 1));
        for (var series = 0; readings > 0; series += random.Next(1, 3))
        {
            var times = columns[random.Next(columns.Length)];
            times = times[..Math.Min(times.Length, readings)];
            AddGroup(series, times, isCalm);
            readings -= times.Length;
        }
    }

    /// <summary>Groups of any size, or single readings, most of which have the times of the group before.</summary>
    private void AddMixed(int groups, bool isSingle)
    {
        MakeTypes(random.Next(groups, groups * 3));
        var count = isSingle ? 1 : Size(ReadingsMax / groups);
        var times = _times.Next(count, isCalm: false);
        for (var series = 0; series < Types.Length && groups > 0; series += random.Next(1, 3), groups--)
        {
            if (random.Next(isSingle ? 30 : 3) == 0)
            {
                count = Size(ReadingsMax / groups);
                times = _times.Next(count, isCalm: false);
            }
            else if (random.Next(4) == 0)
            {
                times = _times.Next(count, isCalm: false);
            }

            AddGroup(series, times, isCalm: false);
        }
    }

    private void MakeTypes(int count)
    {
        Types = new MetricType[count];
        for (var i = 0; i < count; i++)
        {
            Types[i] = (MetricType)random.Next(5);
        }
    }

    private int Size(int most) => random.Next(4) switch
    {
        0 => 1,
        1 => random.Next(1, Math.Max(2, Math.Min(most, 40))),
        _ => random.Next(1, Math.Max(2, most)),
    };

    private void AddGroup(int series, long[] times, bool isCalm)
    {
        var next = _values.Of(Types[series], isCalm);
        var text = random.Next(4) == 0 ? Text() : null;
        var flags = random.Next(4);
        var run = ReadingFlags.None;
        foreach (var time in times)
        {
            run = random.Next(10) == 0 ? (ReadingFlags)random.Next(16) : run;
            var flag = flags switch
            {
                0 => (ReadingFlags)random.Next(16),
                1 => run,
                _ => ReadingFlags.None,
            };
            if (Types[series] == MetricType.Text && (flag & ReadingFlags.Null) == 0 && Batch.TextBytes < TextBytesMax)
            {
                Batch.AddText(series, time, text ?? Text(), flag);
            }
            else
            {
                Batch.Add(series, time, next(), Types[series] == MetricType.Text ? flag | ReadingFlags.Null : flag);
            }
        }
    }

    private byte[] Text()
    {
        if (random.Next(50) != 0)
        {
            return Encoding.UTF8.GetBytes(Words[random.Next(Words.Length)]);
        }

        var bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        return bytes;
    }
}
