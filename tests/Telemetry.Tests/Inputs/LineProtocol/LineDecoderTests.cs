using System.Text;
using Telemetry.Edge.Outbox;
using Telemetry.Inputs.LineProtocol;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Bytes;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Inputs.LineProtocol;

public sealed class LineDecoderTests
{
    public static TheoryData<string> CaseNames => [.. LineProtocolCases.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public void Case_of_the_specification(string name) => OutboxRig.Run(rig =>
    {
        var found = LineProtocolCases.All.Single(c => c.Name == name);
        var cold = new DecodingRig(rig.Outbox);
        AssertTold(found, cold.Decode(found.Body));
        // Once more: now the series come out of the cache.
        AssertTold(found, cold.Decode(found.Body));
        return Task.CompletedTask;
    });

    [Fact]
    public void The_table_has_sixty_cases_and_more() =>
        Assert.InRange(LineProtocolCases.All.DistinctBy(c => c.Name).Count(), 60, int.MaxValue);

    [Theory]
    [InlineData("ns", true, 1999, 1)]
    [InlineData("us", true, -5, -5)]
    [InlineData("ms", true, 5, 5000)]
    [InlineData("s", true, -2, -2_000_000)]
    [InlineData("n", false, 1999, 1)]
    [InlineData("u", false, 7, 7)]
    [InlineData("m", false, 2, 120_000_000)]
    [InlineData("h", false, 1, 3_600_000_000)]
    [InlineData("", false, 1000, 1)]
    public void Timestamps_have_the_precision_of_the_request(string word, bool version2, long stamp, long micros)
    {
        Assert.True(TimePrecision.TryParse(word, version2, out var precision));
        Assert.True(precision.TryMicros(stamp, out var found));
        Assert.Equal(micros, found);
    }

    [Theory]
    [InlineData("n", true)]
    [InlineData("h", true)]
    [InlineData("S", false)]
    [InlineData("d", false)]
    public void Unknown_precision_is_none(string word, bool version2) =>
        Assert.False(TimePrecision.TryParse(word, version2, out _));

    [Theory]
    [InlineData("h", "9223372036854775807")]
    [InlineData("s", "-9223372036854775808")]
    [InlineData("us", "36028797018963968")]
    public void A_time_out_of_range_is_an_error_of_its_line(string word, string stamp) => OutboxRig.Run(rig =>
    {
        Assert.True(TimePrecision.TryParse(word, false, out var precision));
        var told = new DecodingRig(rig.Outbox).Decode($"m f=1 {stamp}\nm f=2 0", precision);
        Assert.Contains("a timestamp out of range", told[0], StringComparison.Ordinal);
        Assert.Equal("gw-1||m.f|float:2|0", told[1]);
        return Task.CompletedTask;
    });

    [Fact]
    public void A_field_keeps_its_type_over_a_restart() => OutboxRig.Run(async rig =>
    {
        var before = new DecodingRig(rig.Outbox);
        before.Decode("m,t=v f=1i 0");
        Assert.True((await rig.Offer(before.Batch)).IsAccepted);

        await rig.OpenAsync();
        Assert.Contains(
            "integer", Assert.Single(new DecodingRig(rig.Outbox).Decode("m,t=v f=1 0")), StringComparison.Ordinal);
    });

    [Fact]
    public void Strings_of_4_KiB_are_taken_and_longer_ones_refused() => OutboxRig.Run(rig =>
    {
        var decoding = new DecodingRig(rig.Outbox, lineBytesMax: 20_000);
        Assert.StartsWith(
            "gw-1||m.f|string:aa", decoding.Decode($"m f=\"{new string('a', 4096)}\" 0")[0], StringComparison.Ordinal);
        Assert.StartsWith(
            "gw-1||m.f|string:\"\"", decoding.Decode($"m f=\"{string.Concat(Enumerable.Repeat("\\\"", 4096))}\" 0")[0],
            StringComparison.Ordinal);
        Assert.Contains(
            "4096 bytes", decoding.Decode($"m f=\"{new string('a', 4097)}\" 0")[0], StringComparison.Ordinal);
        return Task.CompletedTask;
    });

    [Fact]
    public void A_line_beyond_its_limit_is_refused_and_the_next_one_taken() => OutboxRig.Run(rig =>
    {
        var fields = string.Join(',', Enumerable.Range(0, 300).Select(i => $"f{i}=1"));
        var told = new DecodingRig(rig.Outbox, lineBytesMax: 1024)
            .Decode($"m {fields} 0\nm f=\"{new string('x', 2000)}\" 0\nm f=2 0");
        Assert.Contains("lineBytesMax", told[0], StringComparison.Ordinal);
        Assert.Contains("lineBytesMax", told[1], StringComparison.Ordinal);
        Assert.Equal("gw-1||m.f|float:2|0", told[2]);
        return Task.CompletedTask;
    });

    [Theory]
    [InlineData("m,t={0} f=1 0", "a name of 300 bytes")]
    [InlineData("{0} f=1 0", "a name of 300 bytes")]
    [InlineData("m {0}=1 0", "a name of 300 bytes")]
    public void Names_too_long_are_errors_of_their_line(string line, string reason) => OutboxRig.Run(rig =>
    {
        var told = new DecodingRig(rig.Outbox).Decode(string.Format(null, line, new string('n', 300)));
        Assert.Contains(reason, Assert.Single(told), StringComparison.Ordinal);
        Assert.Equal(0, rig.Outbox.Series.Count);
        return Task.CompletedTask;
    });

    [Fact]
    public void Too_many_labels_and_a_metric_too_long_are_errors_of_their_line() => OutboxRig.Run(rig =>
    {
        var tags = string.Concat(Enumerable.Range(0, 33).Select(i => $",t{i}=v"));
        var name = new string('n', 200);
        var told = new DecodingRig(rig.Outbox, lineBytesMax: 4096).Decode($"m{tags} f=1 0\n{name} {name}=1 0");
        Assert.Contains("33 tags", told[0], StringComparison.Ordinal);
        Assert.Contains("the metric", told[1], StringComparison.Ordinal);
        return Task.CompletedTask;
    });

    [Fact]
    public void Too_many_series_are_errors_of_their_lines_and_known_ones_go_on() => OutboxRig.Run(
        rig =>
        {
            var told = new DecodingRig(rig.Outbox).Decode("m a=1 0\nm b=1 0\nm c=1 0\nm a=2 0");
            Assert.Equal(4, told.Count);
            Assert.Contains("too many series", told[2], StringComparison.Ordinal);
            Assert.Equal("gw-1||m.a|float:2|0", told[3]);
            return Task.CompletedTask;
        },
        new OutboxOptions { SeriesMax = 2 });

    [Fact]
    public void A_full_cache_begins_anew_and_nothing_is_refused() => OutboxRig.Run(rig =>
    {
        var decoding = new DecodingRig(rig.Outbox, cacheMax: 16);
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 40; i++)
            {
                Assert.Equal(
                    $"d{i}||m.f|float:{round}|0", Assert.Single(decoding.Decode($"m,device=d{i} f={round} 0")));
            }
        }

        Assert.True(decoding.Cache.Cleared > 0);
        Assert.Equal(40, rig.Outbox.Series.Count);
        return Task.CompletedTask;
    });

    [Fact]
    public void Every_cut_of_a_body_is_refused_or_read_and_never_breaks_anything() => OutboxRig.Run(rig =>
    {
        var body = Encoding.UTF8.GetBytes(
            "m\\ x,a\\,b=c\\=d,host=h i=1i,s=\"a\\\"b\\\\\nc\",b=T,f=-1.5e-3,u=7u -1556813561098000001\n# x\nm f=1\n");
        var decoding = new DecodingRig(rig.Outbox);
        for (var end = 0; end <= body.Length; end++)
        {
            decoding.Decode(body[..end]);
            decoding.Decode(body[end..]);
        }

        return Task.CompletedTask;
    });

    [Fact]
    public void Floats_are_read_as_exactly_as_the_library_reads_them() => OutboxRig.Run(rig =>
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var text = random.Next(3) switch
            {
                0 =>
                    random.NextInt64(1L << random.Next(1, 62))
                        .ToString(System.Globalization.CultureInfo.InvariantCulture) + "." + random.Next(1_000_000),
                1 =>
                    BitConverter.Int64BitsToDouble(random.NextInt64())
                        .ToString("R", System.Globalization.CultureInfo.InvariantCulture),
                _ => "-" + (random.Next(100_000) / 100m).ToString(System.Globalization.CultureInfo.InvariantCulture),
            };
            if (!double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var value)
                || !double.IsFinite(value))
            {
                continue;
            }

            Assert.Null(FieldValue.TryRead(Encoding.ASCII.GetBytes(text), out var type, out var bits));
            Assert.Equal((MetricType.Float, BitConverter.DoubleToUInt64Bits(value), text), (type, bits, text));
        }

        return Task.CompletedTask;
    });

    [Fact]
    public void A_warm_decoder_allocates_nothing_a_line() => OutboxRig.Run(rig =>
    {
        var text = new StringBuilder();
        for (var i = 0; i < 2000; i++)
        {
            text.Append(
                $"cpu,host=h{i % 10},cpu=cpu{i % 4} usage=1{i}.25,busy=t,count={i}i,total={i}u,note=\"a \\\"b\\\" "
                + $"{i % 3}\" {1556813561098000000 + i}\n");
        }

        var body = Encoding.UTF8.GetBytes(text.ToString());
        var decoding = new DecodingRig(rig.Outbox);
        var errors = new LineErrors();

        Assert.Equal(0, AllocatedBytes.Of(() =>
        {
            for (var round = 0; round < 10; round++)
            {
                Decode();
            }
        }));
        Assert.Equal(10_000, decoding.Batch.Count);
        return Task.CompletedTask;

        void Decode()
        {
            decoding.Batch.Clear();
            decoding.Decoder.Decode(
                body, BodyPosition.Start, TimePrecision.Nanoseconds, 0, PartLimits.None, decoding.Batch, errors);
        }
    });

    private static void AssertTold(LineCase expected, List<string> told)
    {
        Assert.True(expected.Expected.Length == told.Count, $"{expected.Name}: {string.Join('\n', told)}");
        foreach (var (want, found) in expected.Expected.Zip(told))
        {
            if (want[0] != '!')
            {
                Assert.Equal(want, found);
                continue;
            }

            var colon = want.IndexOf(':', StringComparison.Ordinal);
            Assert.StartsWith($"line {want[1..colon]}: unable to parse '", found, StringComparison.Ordinal);
            Assert.Contains($"': {want[(colon + 1)..]}", found, StringComparison.Ordinal);
        }
    }
}
