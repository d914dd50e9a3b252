package bench;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

import javax.sql.DataSource;

import org.springframework.batch.core.BatchStatus;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.job.JobInstance;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.job.parameters.JobParameters;
import org.springframework.batch.core.job.parameters.JobParametersBuilder;
import org.springframework.batch.core.configuration.JobRegistry;
import org.springframework.batch.core.launch.JobOperator;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.StepExecution;
import org.springframework.batch.core.step.builder.ChunkOrientedStepBuilder;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.batch.infrastructure.item.Chunk;
import org.springframework.batch.infrastructure.item.ExecutionContext;
import org.springframework.batch.infrastructure.item.ItemProcessor;
import org.springframework.batch.infrastructure.item.ItemReader;
import org.springframework.batch.infrastructure.item.ItemStreamReader;
import org.springframework.batch.infrastructure.item.ItemWriter;
import org.springframework.batch.infrastructure.item.database.ItemPreparedStatementSetter;
import org.springframework.batch.infrastructure.item.database.JdbcBatchItemWriter;
import org.springframework.batch.infrastructure.item.database.JdbcCursorItemReader;
import org.springframework.batch.infrastructure.item.database.builder.JdbcBatchItemWriterBuilder;
import org.springframework.batch.infrastructure.item.database.builder.JdbcCursorItemReaderBuilder;
import org.springframework.batch.infrastructure.item.file.FlatFileItemReader;
import org.springframework.batch.infrastructure.item.file.FlatFileItemWriter;
import org.springframework.batch.infrastructure.item.file.builder.FlatFileItemWriterBuilder;
import org.springframework.batch.infrastructure.item.file.mapping.DefaultLineMapper;
import org.springframework.batch.infrastructure.item.file.mapping.FieldSetMapper;
import org.springframework.batch.infrastructure.item.file.transform.DelimitedLineTokenizer;
import org.springframework.batch.infrastructure.item.file.transform.LineAggregator;
import org.springframework.batch.infrastructure.item.support.ListItemReader;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.core.io.FileSystemResource;
import org.springframework.core.retry.RetryPolicy;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.transaction.PlatformTransactionManager;

public class Main {

	static final String WHO = "spring-batch";
	static final String CSV = System.getenv().getOrDefault("BENCH_CSV", "data/products.csv");
	static final String OUT = System.getenv().getOrDefault("BENCH_OUT", "out/spring-batch-w2.csv");
	/** The row at which w5 fails. */
	static final long FAIL_AT = Long.parseLong(System.getenv().getOrDefault("FAIL_AT", "900001"));
	static final String HEADER = "id,sku,name,category,price,stock,updated_at";
	static final long N_MEM = 10_000_000L;
	static final String INSERT = "INSERT INTO product (id, sku, name, category, price, stock, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)";

	static class PoisonException extends RuntimeException {
		PoisonException(String m) {
			super(m);
		}
	}

	static class FlakyException extends RuntimeException {
		FlakyException(String m) {
			super(m);
		}
	}

	// ---------------------------------------------------------------- readers

	static final FieldSetMapper<Product> MAPPER = fs -> new Product(fs.readLong(0), fs.readRawString(1),
			fs.readRawString(2), fs.readRawString(3), fs.readBigDecimal(4), fs.readInt(5),
			OffsetDateTime.parse(fs.readRawString(6)));

	static FlatFileItemReader<Product> csvReader(int max) {
		DefaultLineMapper<Product> lm = new DefaultLineMapper<>();
		lm.setLineTokenizer(new DelimitedLineTokenizer());
		lm.setFieldSetMapper(MAPPER);
		FlatFileItemReader<Product> r = new FlatFileItemReader<>(new FileSystemResource(CSV), lm);
		r.setName("csv");
		r.setEncoding("UTF-8");
		r.setLinesToSkip(1);
		if (max > 0) {
			r.setMaxItemCount(max);
		}
		return r;
	}

	static JdbcCursorItemReader<Product> tableReader(DataSource ds) {
		return new JdbcCursorItemReaderBuilder<Product>().name("src")
			.dataSource(ds)
			.sql("SELECT id, sku, name, category, price, stock, updated_at FROM product_src ORDER BY id")
			.fetchSize(1000)
			.connectionAutoCommit(false)
			.verifyCursorPosition(false)
			.rowMapper((rs, i) -> new Product(rs.getLong(1), rs.getString(2), rs.getString(3), rs.getString(4),
					rs.getBigDecimal(5), rs.getInt(6), rs.getObject(7, OffsetDateTime.class)))
			.build();
	}

	static class CountingReader implements ItemStreamReader<Long> {
		private long next;
		private final long end;

		CountingReader(long end) {
			this.end = end;
		}

		@Override
		public void open(ExecutionContext ec) {
			this.next = ec.getLong("count", 0L);
		}

		@Override
		public void update(ExecutionContext ec) {
			ec.putLong("count", this.next);
		}

		@Override
		public Long read() {
			return this.next < this.end ? this.next++ : null;
		}
	}

	// ------------------------------------------------------------- processors

	static final ItemProcessor<Product, Product> UPPER = p -> new Product(p.id(), p.sku(),
			p.name().toUpperCase(Locale.ROOT), p.category(), p.price(), p.stock(), p.updatedAt());

	static final BigDecimal TENTH_MORE = new BigDecimal("1.1");

	static final ItemProcessor<Product, Product> RAISE = p -> new Product(p.id(), p.sku(), p.name(), p.category(),
			p.price().multiply(TENTH_MORE).setScale(2, RoundingMode.HALF_UP), p.stock(), p.updatedAt());

	// ---------------------------------------------------------------- writers

	static final ItemPreparedStatementSetter<Product> SETTER = (p, ps) -> {
		ps.setLong(1, p.id());
		ps.setString(2, p.sku());
		ps.setString(3, p.name());
		ps.setString(4, p.category());
		ps.setBigDecimal(5, p.price());
		ps.setInt(6, p.stock());
		ps.setObject(7, p.updatedAt(), Types.TIMESTAMP_WITH_TIMEZONE);
	};

	static JdbcBatchItemWriter<Product> tableWriter(DataSource ds) {
		JdbcBatchItemWriter<Product> w = new JdbcBatchItemWriterBuilder<Product>().dataSource(ds)
			.sql(INSERT)
			.itemPreparedStatementSetter(SETTER)
			.assertUpdates(false)
			.build();
		w.afterPropertiesSet();
		return w;
	}

	static void csvField(StringBuilder b, String s) {
		if (s.indexOf(',') < 0 && s.indexOf('"') < 0) {
			b.append(s);
		}
		else {
			b.append('"').append(s.replace("\"", "\"\"")).append('"');
		}
	}

	static final LineAggregator<Product> AGGREGATOR = new LineAggregator<>() {
		private final StringBuilder b = new StringBuilder(160);

		@Override
		public String aggregate(Product p) {
			b.setLength(0);
			b.append(p.id()).append(',');
			csvField(b, p.sku());
			b.append(',');
			csvField(b, p.name());
			b.append(',');
			csvField(b, p.category());
			b.append(',').append(p.price().toPlainString()).append(',').append(p.stock()).append(',');
			String t = p.updatedAt().toString(); // toString drops ":00" seconds; DateTimeFormatter is slower
			if (t.length() == 17) {
				b.append(t, 0, 16).append(":00Z");
			}
			else {
				b.append(t);
			}
			return b.toString();
		}
	};

	static FlatFileItemWriter<Product> csvWriter() {
		return new FlatFileItemWriterBuilder<Product>().name("out")
			.resource(new FileSystemResource(OUT))
			.encoding("UTF-8")
			.lineSeparator("\n")
			.headerCallback(w -> w.write(HEADER))
			.lineAggregator(AGGREGATOR)
			.build();
	}

	/** w5: fails hard when the chunk holds row failAt (0 = never); remembers when the first item arrived. */
	static class Wrapped implements ItemWriter<Product> {
		private final JdbcBatchItemWriter<Product> delegate;
		private final long failAt;
		volatile long firstNanos;

		Wrapped(JdbcBatchItemWriter<Product> delegate, long failAt) {
			this.delegate = delegate;
			this.failAt = failAt;
		}

		@Override
		public void write(Chunk<? extends Product> chunk) throws Exception {
			if (this.firstNanos == 0) {
				this.firstNanos = System.nanoTime();
			}
			if (this.failAt > 0) {
				for (Product p : chunk) {
					if (p.id() == this.failAt) {
						throw new PoisonException("row " + this.failAt);
					}
				}
			}
			this.delegate.write(chunk);
		}
	}

	static long sum;

	// ------------------------------------------------------------------- main

	public static void main(String[] args) throws Exception {
		String w = args[0];
		int chunk = Integer.parseInt(args[1]);
		boolean mem = w.equals("w4m");
		if (!mem) {
			prepare(w);
		}
		boolean ok = false;
		try (AnnotationConfigApplicationContext ctx = new AnnotationConfigApplicationContext(
				mem ? ResourcelessInfra.class : Infra.class)) {
			ok = run(ctx, w, chunk);
		}
		System.exit(ok ? 0 : 1);
	}

	/** Outside the timed part: job repository schema (once), fresh target table. */
	static void prepare(String w) throws Exception {
		try (Connection c = DriverManager.getConnection(Infra.URL, "postgres", "x"); Statement s = c.createStatement()) {
			var rs = s.executeQuery("SELECT to_regclass('sb.batch_job_instance') IS NOT NULL");
			rs.next();
			if (!rs.getBoolean(1)) {
				String ddl = resource("/org/springframework/batch/core/schema-postgresql.sql");
				s.execute("CREATE SCHEMA IF NOT EXISTS sb");
				s.execute("SET search_path = sb");
				s.execute(ddl);
				s.execute("SET search_path = public");
			}
			switch (w) {
				case "w1", "w3", "w5", "w7", "w8", "x7t" -> s.execute(resource("/schema.sql"));
				case "w2" -> Files.deleteIfExists(Path.of(OUT));
				default -> {
				}
			}
		}
	}

	static String resource(String name) throws Exception {
		try (var in = Main.class.getResourceAsStream(name)) {
			return new String(in.readAllBytes(), StandardCharsets.UTF_8);
		}
	}

	static boolean run(AnnotationConfigApplicationContext ctx, String w, int chunk) throws Exception {
		JobRepository repo = ctx.getBean(JobRepository.class);
		PlatformTransactionManager tm = ctx.getBean(PlatformTransactionManager.class);
		JobOperator operator = ctx.getBean(JobOperator.class);
		DataSource ds = w.equals("w4m") ? null : ctx.getBean(DataSource.class);
		String name = w.equals("w5r") ? "w5" : w.equals("x7r") ? "w7" : w;
		Wrapped wrapped = null;
		Step step;
		switch (w) {
			case "w1" -> step = step(w, repo, tm, chunk, csvReader(0), UPPER, tableWriter(ds), null, null);
			case "w2" -> step = step(w, repo, tm, chunk, csvReader(0), UPPER, csvWriter(), null, null);
			case "w3" -> step = step(w, repo, tm, chunk, tableReader(ds), RAISE, tableWriter(ds), null, null);
			case "w4", "w4m" -> step = Main.<Long, Long>step(w, repo, tm, chunk, new CountingReader(N_MEM), x -> x + 1,
					c -> {
						long s = 0;
						for (Long x : c) {
							s += x;
						}
						sum += s;
					}, null, null);
			case "w5", "w5r" -> {
				wrapped = new Wrapped(tableWriter(ds), w.equals("w5") ? FAIL_AT : 0L);
				step = step("w5", repo, tm, chunk, csvReader(0), UPPER, wrapped, null, null);
			}
			case "w6" -> step = Main.<Long, Long>step(w, repo, tm, chunk, new ListItemReader<>(List.of()), x -> x, c -> {
			}, null, null);
			case "w7", "x7r" -> step = step("w7", repo, tm, chunk, csvReader(100_000),
					p -> new Product(p.id(), p.sku(), p.name().toUpperCase(Locale.ROOT), p.category(),
							p.id() % 1000 == 0 ? p.price().negate() : p.price(), p.stock(), p.updatedAt()),
					tableWriter(ds), DataIntegrityViolationException.class, null);
			case "x7t" -> step = step(w, repo, tm, chunk, csvReader(5_000), // extra: retry AND skip of a write error
					p -> new Product(p.id(), p.sku(), p.name(), p.category(),
							p.id() % 1000 == 0 ? p.price().negate() : p.price(), p.stock(), p.updatedAt()),
					tableWriter(ds), DataIntegrityViolationException.class, DataIntegrityViolationException.class);
			case "w8" -> {
				Set<Long> seen = new HashSet<>();
				step = step(w, repo, tm, chunk, csvReader(100_000), p -> {
					if (p.id() % 1000 == 0 && seen.add(p.id())) {
						throw new FlakyException("item " + p.id());
					}
					return UPPER.process(p);
				}, tableWriter(ds), null, FlakyException.class);
			}
			default -> {
				System.out.println("{\"who\":\"" + WHO + "\",\"workload\":\"" + w + "\",\"unsupported\":\"unknown\"}");
				return false;
			}
		}
		Job job = new JobBuilder(name, repo).start(step).build();
		JobExecution e;
		long t0;
		if (w.equals("x7r")) { // extra: recover + restart the last w7 after a kill -9
			ctx.getBean(JobRegistry.class).register(job);
			JobExecution killed = repo.getLastJobExecution(repo.getLastJobInstance("w7"));
			operator.recover(killed);
			t0 = System.nanoTime();
			e = operator.restart(repo.getJobExecution(killed.getId()));
		}
		else if (w.equals("w5r")) {
			ctx.getBean(JobRegistry.class).register(job);
			JobInstance last = repo.getLastJobInstance("w5");
			JobExecution failed = repo.getLastJobExecution(last);
			t0 = System.nanoTime();
			e = operator.restart(failed);
		}
		else {
			JobParameters params = new JobParametersBuilder().addLong("run", System.currentTimeMillis()).toJobParameters();
			t0 = System.nanoTime();
			e = operator.start(job, params);
		}
		long t1 = System.nanoTime();
		StepExecution s = e.getStepExecutions().iterator().next();
		StringBuilder o = new StringBuilder();
		o.append("{\"who\":\"").append(WHO).append("\",\"workload\":\"").append(w).append("\",\"chunk\":").append(chunk);
		o.append(",\"rows\":").append(s.getWriteCount());
		o.append(",\"run_s\":").append(String.format(Locale.ROOT, "%.3f", (t1 - t0) / 1e9));
		if (w.equals("w5r")) {
			o.append(",\"first_item_s\":").append(String.format(Locale.ROOT, "%.3f", (wrapped.firstNanos - t0) / 1e9));
		}
		o.append(",\"status\":\"").append(e.getStatus()).append('"');
		o.append(",\"commits\":").append(s.getCommitCount());
		o.append(",\"read\":").append(s.getReadCount());
		if (s.getSkipCount() > 0 || s.getRollbackCount() > 0) {
			o.append(",\"write_skip\":").append(s.getWriteSkipCount());
			o.append(",\"process_skip\":").append(s.getProcessSkipCount());
			o.append(",\"rollbacks\":").append(s.getRollbackCount());
		}
		if (w.startsWith("w4")) {
			o.append(",\"sum\":").append(sum);
		}
		o.append('}');
		for (Throwable t : e.getAllFailureExceptions()) {
			for (Throwable c = t; c != null; c = c.getCause()) {
				String m = String.valueOf(c);
				System.err.println(m.length() > 300 ? m.substring(0, 300) + " ..." : m);
			}
		}
		System.out.println(o);
		return e.getStatus() == BatchStatus.COMPLETED;
	}

	/** BENCH_STEP=legacy: the deprecated 5.x engine chunk(size, tm), still in 6.0, for comparison. */
	static final boolean LEGACY = "legacy".equals(System.getenv("BENCH_STEP"));

	static <I, O> Step step(String name, JobRepository repo, PlatformTransactionManager tm, int chunk,
			ItemReader<I> reader, ItemProcessor<I, O> processor, ItemWriter<O> writer,
			Class<? extends Exception> skip, Class<? extends Exception> retry) {
		if (LEGACY) {
			return legacyStep(name, repo, tm, chunk, reader, processor, writer, skip, retry);
		}
		ChunkOrientedStepBuilder<I, O> b = new StepBuilder(name, repo).<I, O>chunk(chunk)
			.transactionManager(tm)
			.reader(reader)
			.processor(processor)
			.writer(writer);
		if (skip != null) {
			b.faultTolerant().skip(skip).skipLimit(1_000_000);
		}
		if (retry != null) {
			b.faultTolerant();
			if (System.getenv("BENCH_DEFAULT_BACKOFF") != null) {
				// the short form: its policy has the builder's default delay of 1000 ms
				b.retry(retry).retryLimit(3);
			}
			else {
				b.retryPolicy(RetryPolicy.builder().maxRetries(3).delay(Duration.ZERO).includes(retry).build());
			}
		}
		return b.build();
	}

	@SuppressWarnings("removal")
	static <I, O> Step legacyStep(String name, JobRepository repo, PlatformTransactionManager tm, int chunk,
			ItemReader<I> reader, ItemProcessor<I, O> processor, ItemWriter<O> writer,
			Class<? extends Exception> skip, Class<? extends Exception> retry) {
		var b = new StepBuilder(name, repo).<I, O>chunk(chunk, tm).reader(reader).processor(processor).writer(writer);
		if (skip != null) {
			return b.faultTolerant().skip(skip).skipLimit(1_000_000).build();
		}
		if (retry != null) {
			return b.faultTolerant().retry(retry).retryLimit(3).build();
		}
		return b.build();
	}

}
