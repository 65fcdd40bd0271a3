using System.Text;
using System.Text.Json;
using Telemetry.Storage.Postgres.Devices;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>
/// What a file of devices says: CSV with a header, JSON with one object a line, or a JSON array of objects. Every bad
/// row is named; the good ones beside it are there.
/// </summary>
/// <param name="Rows">How many rows it has.</param>
/// <param name="Devices">The devices of the good rows, each once.</param>
/// <param name="Problems">What is wrong with the others.</param>
internal sealed record DeviceFile(
    int Rows, IReadOnlyList<DeviceMetadata> Devices, IReadOnlyList<DeviceProblem> Problems)
{
    /// <summary>The most bytes of a file.</summary>
    public const int BytesMax = 64 << 20;

    /// <summary>The most rows of a file.</summary>
    public const int RowsMax = 200_000;

    /// <summary>Reads a file's bytes; <paramref name="zones"/> are the time zones that there are.</summary>
    public static DeviceFile Read(byte[] file, IEnumerable<string> zones)
    {
        ReadOnlySpan<byte> bytes = file;
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
        {
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        }

        var reading = new Reading(zones);
        var text = bytes.TrimStart(" \t\r\n"u8);
        switch (text.IsEmpty ? default : text[0])
        {
            case (byte)'[':
                ReadArray(bytes, reading);
                break;
            case (byte)'{':
                ReadLines(bytes, reading);
                break;
            default:
                ReadCsv(Encoding.UTF8.GetString(bytes), reading);
                break;
        }

        return reading.End();
    }

    private static void ReadCsv(string text, Reading reading)
    {
        IReadOnlyList<string>? header = null;
        foreach (var record in CsvRecords.Read(text))
        {
            if (header is null)
            {
                header = record.Fields;
                if (!reading.TakeHeader(record))
                {
                    return;
                }
            }
            else if (reading.Begin(record.Line) is { } row)
            {
                if (record.Problem is not null)
                {
                    row.Refuse("", record.Problem);
                }
                else if (record.Fields.Count != header.Count)
                {
                    row.Refuse("", $"has {record.Fields.Count} fields; the header has {header.Count}");
                }
                else
                {
                    for (var i = 0; i < header.Count; i++)
                    {
                        row.Take(header[i], record.Fields[i]);
                    }
                }

                reading.Finish(row, whole: record.Problem is null && record.Fields.Count == header.Count);
            }
        }

        if (header is null)
        {
            reading.Refuse(1, "the file is empty; its first line names the columns");
        }
    }

    private static void ReadLines(ReadOnlySpan<byte> bytes, Reading reading)
    {
        var line = 0;
        foreach (var range in bytes.Split((byte)'\n'))
        {
            line++;
            var text = bytes[range].Trim(" \t\r"u8);
            if (text.IsEmpty || reading.Begin(line) is not { } row)
            {
                continue;
            }

            var whole = false;
            try
            {
                using var document = JsonDocument.Parse(text.ToArray());
                DeviceJson.Take(document.RootElement, row);
                whole = true;
            }
            catch (JsonException e)
            {
                row.Refuse("", $"cannot be read as JSON: {Short(e)}");
            }

            reading.Finish(row, whole);
        }
    }

    private static void ReadArray(ReadOnlySpan<byte> bytes, Reading reading)
    {
        var reader = new Utf8JsonReader(bytes);
        var (line, counted) = (1, 0);
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)reader.TokenStartIndex;
                line += bytes[counted..start].Count((byte)'\n');
                counted = start;
                using var document = JsonDocument.ParseValue(ref reader);
                if (reading.Begin(line) is { } row)
                {
                    DeviceJson.Take(document.RootElement, row);
                    reading.Finish(row, whole: true);
                }
            }

            while (reader.Read())
            {
                // What stands behind the array is an error of the reader's.
            }
        }
        catch (JsonException e)
        {
            reading.Refuse(
                (int)(e.LineNumber ?? 0) + 1, $"cannot be read as JSON, nor can what follows: {Short(e)}");
        }
    }

    // Without the place, which counts from the beginning of what was parsed.
    private static string Short(JsonException e) => e.Message.Split(" LineNumber", 2)[0].Split(" Path:", 2)[0];

    private sealed class Reading(IEnumerable<string> zones)
    {
        private readonly Dictionary<string, string> _zones = zones
            .DistinctBy(zone => zone, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(zone => zone, StringComparer.OrdinalIgnoreCase);

        private readonly List<DeviceProblem> _problems = [];
        private readonly List<DeviceMetadata> _devices = [];
        private readonly Dictionary<(string Gateway, string Device), int> _lines = [];
        private int _rows, _line;

        public bool TakeHeader(CsvRecord record)
        {
            var before = _problems.Count;
            if (record.Problem is { } problem)
            {
                Refuse(record.Line, problem);
            }

            foreach (var column in record.Fields)
            {
                if (DeviceRow.ProblemOfColumn(column) is { } unknown)
                {
                    Refuse(record.Line, unknown);
                }
            }

            foreach (var twice in record.Fields.GroupBy(column => column).Where(group => group.Count() > 1))
            {
                Refuse(record.Line, $"names the column {twice.Key} twice");
            }

            foreach (var missing in ((string[])["gateway", "device"]).Except(record.Fields))
            {
                Refuse(record.Line, $"has no column {missing}; the first line names the columns, separated by commas");
            }

            return _problems.Count == before;
        }

        public DeviceRow? Begin(int line)
        {
            _line = line;
            if (++_rows == RowsMax + 1)
            {
                Refuse(line, $"the file has more than {RowsMax} rows; this and the following ones are not read");
            }

            return _rows > RowsMax ? null : new DeviceRow(line, _zones, _problems);
        }

        public void Finish(DeviceRow row, bool whole)
        {
            if (!whole || row.Finish() is not { } device)
            {
                return;
            }

            if (_lines.TryAdd((device.Gateway, device.Device), _line))
            {
                _devices.Add(device);
            }
            else
            {
                var first = _lines[(device.Gateway, device.Device)];
                row.Refuse("device", $"device {device.Device} of gateway {device.Gateway} is on line {first} already");
            }
        }

        public void Refuse(int line, string problem) => _problems.Add(new DeviceProblem(line, "", problem));

        public DeviceFile End() => new(_rows, _devices, _problems);
    }
}
