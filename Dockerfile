FROM python:3.11-slim
RUN pip install --no-cache-dir uv
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
COPY server server
COPY static static
COPY migrations migrations
RUN useradd app && mkdir var && chown app var
USER app
EXPOSE 8000
CMD ["python", "-m", "server", "--host", "0.0.0.0"]
